"""`fold.masks` over many processes: whole subjects go there as rows, and their masks come back (design 6)."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from winay.engine.fold import Fold, Judge, masks
from winay.engine.judging import Mask
from winay.engine.kernel import warm_up
from winay.engine.plan import Plan
from winay.engine.units import Units, timed_by


def masks_of(con: Any) -> Callable[[Units, Plan, Sequence[Judge]], list[dict[Fold, Mask]]]:
    """`masks`; where the connection can spread work, as workspace.spark can, the same done there."""
    return partial(_spread, con) if hasattr(con, "spread") else masks


def _spread(con: Any, units: Units, plan: Plan, judges: Sequence[Judge]) -> list[dict[Fold, Mask]]:
    warm_up(plan)  # the kernel is compiled once, here, and not in every process
    names = ["subject", *(f"{n}_{m}" for n, judge in enumerate(judges) for m in range(len(judge.folds)))]
    shape = pa.schema([(name, pa.int32()) for name in names])
    found = con.spread(_rows(units, plan), partial(_work, shape, units.kind, plan, judges), shape).sort_by("subject")
    return [
        {fold: found[f"{n}_{m}"].to_numpy() for m, fold in enumerate(judge.folds)} for n, judge in enumerate(judges)
    ]


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
    shape: pa.Schema, kind: str, plan: Plan, judges: Sequence[Judge], batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        found = masks(_units(kind, batch), plan, judges)
        columns = [some[fold] for judge, some in zip(judges, found, strict=True) for fold in judge.folds]
        yield pa.record_batch([batch["subject"], *map(pa.array, columns)], shape)


def _units(kind: str, batch: pa.RecordBatch) -> Units:
    """What `_rows` made of them."""
    offsets = batch["services"].offsets.to_numpy().astype(np.int64)
    services, days = (batch[name].flatten().to_numpy() for name in ("services", "days"))
    fits = None
    if "fits" in batch.schema.names:
        fits = batch["fits"].flatten().to_numpy(zero_copy_only=False).reshape(len(batch), -1)
    births = np.array(batch["births"])
    return Units(kind, pa.Table.from_batches([batch]), births, offsets - offsets[0], services, days, fits)
