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
    """The figures that move when some subjects are judged again, with their new counts (zero: nobody is left in them).

    before: as of evaluate.figures, for everybody. gone, come: the old and new verdicts of those subjects alone. What is
    not returned stays as it was; together they equal a full run.
    """
    moved = pa.concat_tables([_signed(figures(gone, calendar, tree), -1), figures(come, calendar, tree)])
    here = before.filter(pc.is_in(before["place"], moved["place"].combine_chunks().unique()))
    names = [name for name in before.column_names if name not in COUNTS]
    keys = moved.group_by(names).aggregate([])
    parts = [here.join(keys, names, join_type="left semi"), moved.select(before.column_names)]
    summed = pa.concat_tables(parts).group_by(names).aggregate([(count, "sum") for count in COUNTS])
    return summed.rename_columns([name.removesuffix("_sum") for name in summed.column_names]).select(
        before.column_names
    )


def _signed(rows: pa.Table, sign: int) -> pa.Table:
    for count in COUNTS:
        rows = rows.set_column(rows.column_names.index(count), count, pc.multiply(rows[count], sign))
    return rows
