"""A few subjects judged again: their old counts leave the figures, their new ones enter, and nobody else is looked at."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from winay.engine.evaluate import figures
from winay.engine.figures import COUNTS
from winay.engine.judging import Calendar
from winay.engine.tree import Tree
from winay.programme.indicators import Indicator

Verdicts = Sequence[tuple[Indicator, pa.Table]]


def changed(before: pa.Table, gone: Verdicts, come: Verdicts, calendar: Calendar, tree: Tree) -> pa.Table:
    """The figures after some subjects were evaluated again.

    before: as of evaluate.figures, for everybody. gone, come: the old and new verdicts of those subjects alone. Equal to
    the figures of a full run, in any order of rows.
    """
    names = [name for name in before.column_names if name not in COUNTS]
    parts = [before, _signed(figures(gone, calendar, tree), -1), figures(come, calendar, tree)]
    order = before.column_names
    summed = (
        pa.concat_tables([part.select(order) for part in parts]).group_by(names).aggregate([(c, "sum") for c in COUNTS])
    )
    summed = summed.rename_columns([name.removesuffix("_sum") for name in summed.column_names]).select(order)
    return summed.filter(pc.greater(pc.add(summed["denominator"], summed["excluded"]), 0))


def _signed(rows: pa.Table, sign: int) -> pa.Table:
    for count in COUNTS:
        rows = rows.set_column(rows.column_names.index(count), count, pc.multiply(rows[count], sign))
    return rows
