"""`state.state` over many processes: whole subjects go there as rows, and their masks come back (design 6)."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from winay.engine.conditions import Fold
from winay.engine.judging import JudgingDay
from winay.engine.kernel import warm_up
from winay.engine.plan import Plan
from winay.engine.state import Judge, Units, block_masks, state, timed_by

Judges = dict[JudgingDay, Judge]
Folds = dict[JudgingDay, list[Fold]]


def states_of(con: Any) -> Callable[..., dict[JudgingDay, pa.Table]]:
    """`state`; where the connection can spread work, as workspace.spark can, the same done there."""
    if not hasattr(con, "spread"):
        return state

    def states(
        units: Units, plan: Plan, judges: Judges, folds: Folds, on_block: Callable[[int], None] | None = None
    ) -> dict[JudgingDay, pa.Table]:
        warm_up(plan)  # the kernel is compiled once, here, and not in every process
        columns = [(judged, fold.column) for judged in judges for fold in folds[judged]]
        shape = pa.schema([(name, pa.int32()) for name in ("subject", *map(str, range(len(columns))))])
        work = partial(_work, shape, units.kind, plan, judges, folds)
        found = con.spread(_rows(units, plan), work, shape).sort_by("subject")
        if on_block:
            on_block(len(units))
        masks: dict[JudgingDay, dict[str, Any]] = {judged: {"subject": units.table["subject"]} for judged in judges}
        for number, (judged, name) in enumerate(columns):
            masks[judged][name] = found[str(number)]
        return {judged: pa.table(mine) for judged, mine in masks.items()}

    return states


def _rows(units: Units, plan: Plan) -> pa.Table:
    """One row a subject with all that its masks are made of, and nothing that names it."""
    lists = {"services": (units.offsets, units.services), "days": (units.offsets, units.days)}
    if units.fits is not None:
        lists["fits"] = (np.arange(len(units) + 1) * units.fits.shape[1], units.fits.ravel())
    rows = units.table.select(["subject", *timed_by(plan)]).append_column("births", pa.array(units.births))
    for name, (offsets, values) in lists.items():
        column = pa.ListArray.from_arrays(pa.array(offsets).cast(pa.int32()), pa.array(values))
        rows = rows.append_column(name, column)
    return rows


def _work(
    shape: pa.Schema, kind: str, plan: Plan, judges: Judges, folds: Folds, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        masks = block_masks(_units(kind, batch), plan, judges, folds)
        found = [masks[judged][fold.column] for judged in judges for fold in folds[judged]]
        yield pa.record_batch([batch["subject"], *map(pa.array, found)], shape)


def _units(kind: str, batch: pa.RecordBatch) -> Units:
    """What `_rows` made of them."""
    offsets = batch["services"].offsets.to_numpy().astype(np.int64)
    services, days = (batch[name].flatten().to_numpy() for name in ("services", "days"))
    fits = None
    if "fits" in batch.schema.names:
        fits = batch["fits"].flatten().to_numpy(zero_copy_only=False).reshape(len(batch), -1)
    rows = pa.Table.from_batches([batch])
    return Units(kind, rows, batch["births"].to_numpy(), offsets - offsets[0], services, days, fits)
