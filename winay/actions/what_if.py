"""Two programmes over the same people: whose verdict changes, and by how much each figure. Counts only."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.evaluate import MONTHS, Advance, backend, evaluated, verdicts_name
from winay.actions.figures import attribute_of, ended
from winay.actions.opening import promised
from winay.core.periods import judged_on
from winay.engine.figures import COUNTS
from winay.engine.judging import Calendar
from winay.engine.tree import Tree
from winay.programme.change import changed
from winay.programme.diff import diff, reached
from winay.programme.load import Programme
from winay.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

KNOWING = {"services", "programme", "attributes", "subjects", "reference"}
"""Parts of a programme that records are read by."""
SUMS = ["numerator_before", "denominator_before", "numerator_after", "denominator_after",
        "changed", "wins", "loses", "enters", "leaves"]  # fmt: skip
COLUMNS = [*SUMS[:2], "before", *SUMS[2:4], "after", "difference", *SUMS[4:]]
"""Of two figures; `changed` counts verdicts, `wins` and `loses` those that turn good or bad, `enters` and `leaves` are
of the denominator."""
Row = dict[str, Any]


def what_if(
    ws: Workspace, caller: gate.Caller, file: Path, on: date, known_on: date, by: str | None = None,
    advance: Advance | None = None,
) -> Row:  # fmt: skip
    """A change of policy tried on a past day: change (its words), and what `compared` tells of it."""
    change, after = changed(promised(ws), file)
    told = compared(ws, caller, promised(ws), after, on, known_on, by, advance)
    return {"change": str(change.change), **told}


def compared(
    ws: Workspace, caller: gate.Caller, before: Programme, after: Programme, on: date, known_on: date,
    by: str | None = None, advance: Advance | None = None,
) -> Row:  # fmt: skip
    """on, known_on, period (the last month that had ended), changes (programme.diff), and, of the indicators that these
    reach, figures: one row an indicator and group: indicator, by, group, name and COLUMNS.

    The groups are the root, and those of `by`: a level of places, or an attribute of places or subjects; without it the
    lowest level, and the programme's `quintile`.
    """
    changes, month, levels = diff(before, after), ended(on), after.head.levels
    keys, moved = reached(changes, before, after), {row["part"] for row in changes}
    asked = [by] if by else [levels[-1], *filter(None, [after.head.quintile])]
    owners = {group: attribute_of(after, group) for group in asked if group not in levels}
    bit = 1 << Calendar.back_from(on, MONTHS).months.index(month)
    with gate.tables(ws, caller, "what-if", what=f"{before.hash} {after.hash} on {on} known {known_on}") as people:
        known = people.known(known_on, after)
        other = people.known(known_on, before) if moved & KNOWING else known
    sides = []
    for side, those in ((before, other), (after, known)):
        mine = [side.indicators[key] for key in keys if key in side.indicators]
        made = evaluated(side, those, on, mine, backend(), advance) if mine else {}
        sides.append({i.key: _of_month(made[verdicts_name(i)], bit) for i in mine})
    tree, day = Tree.of(known.places.to_pylist()), judged_on(month, on)
    figures: list[Row] = []
    for key in keys:
        better = (after.indicators.get(key) or before.indicators[key]).better
        both = _beside(sides[0].get(key), sides[1].get(key), 1 if better == "higher" else -1)
        for by in dict.fromkeys([levels[0], *asked]):
            if by in levels:
                both["group"] = both["place"].map({code: _at(tree, code, by, day) for code in both["place"].unique()})
                names = {code: place.name for code, place in tree.places.items()}
            else:
                name, owner, table = owners[by]
                rows, attribute = getattr(known, table), after.attributes[name]
                values = dict(zip(rows[owner].to_pylist(), rows[name].cast("string").to_pylist(), strict=True))
                both["group"] = both[owner].map(values)
                codes = {*both["group"].dropna()}
                names = {code: f"{attribute.name or name}: {attribute.values.get(code, code)}" for code in codes}
            for group, row in _figures(both.fillna({"group": ""})):
                figures.append({"indicator": key, "by": by, "group": group, "name": names.get(group, group)} | row)
    return {"on": on, "known_on": known_on, "period": str(month), "changes": changes, "figures": figures}


def _at(tree: Tree, code: str, level: str, day: date) -> str:
    """The place of a level that another counts in; who lives in no known place counts at the root only."""
    above = tree.above(code, day) or [tree.root or ""]
    return next((one for one in above if one in tree.places and tree.places[one].level == level), "")


def _of_month(verdicts: Any, bit: int) -> "pd.DataFrame":
    """One row a subject and place of one month: subject, place, and COUNTS (0 or 1; a ratio's numerator may be more)."""
    rows = verdicts.select(["subject", "place", *COUNTS.values()]).to_pandas()
    rows = rows.rename(columns={mask: count for count, mask in COUNTS.items()}).astype({"place": object})
    rows[[*COUNTS]] = (rows[[*COUNTS]] & bit).clip(upper=1)
    rows = rows[rows[[*COUNTS]].any(axis=1)].fillna({"place": ""})
    return rows.groupby(["subject", "place"], as_index=False)[[*COUNTS]].sum()


def _beside(old: "pd.DataFrame | None", new: "pd.DataFrame | None", good: int) -> "pd.DataFrame":
    """One row a subject and place, with what SUMS adds up. None: the indicator is not there; good: -1 where less is."""
    import pandas as pd

    none = pd.DataFrame({name: [] for name in ("subject", "place", *COUNTS)})
    parts = [none if rows is None else rows for rows in (old, new)]
    both = parts[0].merge(parts[1], "outer", on=["subject", "place"], suffixes=("_before", "_after"))
    both[both.columns[2:]] = both[both.columns[2:]].fillna(0).astype(int)
    moves = pd.DataFrame({count: (both[f"{count}_after"] - both[f"{count}_before"]).clip(-1, 1) for count in COUNTS})
    turns = {"wins": good * moves["numerator"], "loses": -good * moves["numerator"],
             "enters": moves["denominator"], "leaves": -moves["denominator"]}  # fmt: skip
    changed = moves.any(axis=1).astype(int)
    return both.assign(changed=changed, **{name: turn.clip(lower=0) for name, turn in turns.items()})


def _figures(both: "pd.DataFrame") -> Iterator[tuple[str, Row]]:
    """(group, COLUMNS) in the order of the groups; a figure without a denominator, and its difference, is null."""
    for group, sums in both.groupby("group")[SUMS].sum().iterrows():
        row: Row = {name: int(sums[name]) for name in SUMS}
        for side in ("before", "after"):
            row[side] = row[f"numerator_{side}"] / row[f"denominator_{side}"] if row[f"denominator_{side}"] else None
        told = None not in (row["before"], row["after"])
        row["difference"] = row["after"] - row["before"] if told else None
        yield str(group), {name: row[name] for name in COLUMNS}
