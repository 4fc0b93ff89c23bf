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
    offsets = pa.array(units.offsets).cast(pa.int32())
    rows = units.table.select(["subject", *timed_by(plan)])
    lists = {"services": units.services, "days": units.days}
    columns = {name: pa.ListArray.from_arrays(offsets, pa.array(values)) for name, values in lists.items()}
    for name, values in ({"births": pa.array(units.births)} | columns).items():
        rows = rows.append_column(name, values)
    return rows


def _work(
    shape: pa.Schema, kind: str, plan: Plan, judges: Judges, folds: Folds, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        offsets = batch["services"].offsets.to_numpy().astype(np.int64)
        services, days = batch["services"].flatten().to_numpy(), batch["days"].flatten().to_numpy()
        rows = pa.Table.from_batches([batch])
        units = Units(kind, rows, batch["births"].to_numpy(), offsets - offsets[0], services, days)
        masks = block_masks(units, plan, judges, folds)
        found = [masks[judged][fold.column] for judged in judges for fold in folds[judged]]
        yield pa.record_batch([batch["subject"], *map(pa.array, found)], shape)
