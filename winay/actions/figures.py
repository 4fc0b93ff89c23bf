"""The number, and the list behind it: both are read from the same verdicts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.evaluate import figures_of, judged, verdicts_name
from winay.actions.opening import promised
from winay.core.periods import Month
from winay.core.problems import Problem, WinayError, unknown_name, wrong_use
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from winay.engine.judging import Calendar
    from winay.engine.tree import Tree

VERDICTS = {"met": "met", "missing": "missing", "excluded": "excluded"}


@dataclass(frozen=True)
class Cut:
    """What was computed: a snapshot, or one indicator as it was known on some day."""

    on: date
    known: date
    months: int
    snapshot: str | None
    official: bool
    places: "pa.Table"
    subjects: "pa.Table"
    members: "pa.Table"
    figures: Any
    verdicts: Any

    @cached_property
    def calendar(self) -> "Calendar":
        from winay.engine.judging import Calendar

        return Calendar.back_from(self.on, self.months)

    @cached_property
    def tree(self) -> "Tree":
        from winay.engine.tree import Tree

        return Tree.of(self.places.to_pylist())

    def month(self, period: str | None) -> Month:
        """The month asked for; without one, the last that has ended."""
        months = self.calendar.months
        if period is None:
            return next((m for m in reversed(months) if not self.calendar.provisional(m)), months[-1])
        try:
            month = Month.parse(period)
        except ValueError as error:
            raise wrong_use("{why}", why=error) from error
        if month not in months:
            hint = "evaluate for a day of that month: winay evaluate --on {last}"
            facts = {"period": period, "first": months[0], "end": months[-1], "last": month.last}
            raise wrong_use("{period} is not among the months of this cut", "{first} to {end}", hint, **facts)
        return month


@contextmanager
def cut(
    ws: Workspace,
    people: gate.People,
    indicator: Indicator,
    snapshot: str = "latest",
    known_on: date | None = None,
    on: date | None = None,
) -> Iterator[Cut]:
    """One indicator from a snapshot, or, with `known_on`, evaluated anew from what was known that day."""
    con = ws.connect()
    if known_on is None:
        kept = ws.snapshots.open_snapshot(snapshot)
        if f"{verdicts_name(indicator)}.parquet" not in kept.manifest["files"]:
            hint = "evaluate again: winay evaluate"
            facts = {"key": indicator.key, "id": kept.id}
            raise WinayError(Problem(None, "snapshot {id} has no {key}", "", hint, facts))
        day, months = judged(kept)
        rows = kept.read(con, "figures")
        rows = rows.filter((rows.indicator == indicator.indicator) & (rows.rules == indicator.rules))
        places, people_then, members = (kept.read(con, name).to_pyarrow() for name in ("places", "subjects", "members"))
        verdicts = kept.read(con, verdicts_name(indicator))
        known = date.fromisoformat(kept.manifest["known"])
        yield Cut(day, known, months, kept.id, kept.official is not None, places, people_then, members, rows, verdicts)
        return
    known_then = people.known(known_on)
    kept_rows: list[Any] = []
    made = figures_of(ws, known_then, on or known_on, [indicator], con, lambda _, rows: kept_rows.append(rows))
    parts = (known_then.places, known_then.subjects, known_then.members)
    import ibis

    yield Cut(on or known_on, known_on, 24, None, False, *parts, ibis.memtable(made), kept_rows[0])


def indicator_named(programme: Programme, name: str, rules: str | None, day: date) -> Indicator:
    """`MC-02.01`, or `MC-02.01@FED2026`; without rules the version in force that day, if there is one and only one."""
    name, _, written = name.partition("@")
    rules = rules or written or None
    known = {i.indicator for i in programme.indicators.values()}
    if name not in known:
        raise WinayError(unknown_name(None, "indicator", name, known), status=2)
    versions = [i.rules for i in programme.indicators.values() if i.indicator == name]
    if rules is None:
        in_force = programme.rules_in_force(name, day)
        if len(in_force) != 1:
            several, none = (
                "on {day} several rule versions of {name} are in force",
                "on {day} no rule version of {name} is in force",
            )
            found = several if in_force else none
            facts = {"day": day, "name": name, "known": ", ".join(in_force or versions)}
            raise wrong_use(found, "expected one of: {known}", "say which with --rules", **facts)
        rules = in_force[0]
    if rules not in versions:
        raise WinayError(unknown_name(None, f"rule version of {name}", rules, versions), status=2)
    return programme.indicators[f"{name}@{rules}"]


def figures(
    ws: Workspace,
    caller: gate.Caller,
    name: str,
    *,
    rules: str | None = None,
    by: str | None = None,
    period: str | None = None,
    place: str | None = None,
    snapshot: str = "latest",
    known_on: date | None = None,
    on: date | None = None,
) -> "pa.Table":
    """One row a place, month (and attribute value). Without `by`: the root, all months; with it: the month asked.

    Columns: address, indicator, rules, level, place, name, period, numerator, denominator, value (null: no data),
    excluded, provisional, history, reporting, facilities, as_of, known_on, snapshot, state (official or provisional),
    and `by` where it is an attribute.
    """
    programme = promised(ws)
    with gate.tables(ws, caller, "figures", what=name) as people:
        day = _asked_day(ws, period, snapshot, known_on, on)
        indicator = indicator_named(programme, name, rules, day)
        with cut(ws, people, indicator, snapshot, known_on, on) as computed:
            levels = programme.head.levels
            attribute = by if by and by not in levels else None
            rows = _by_attribute(programme, computed, attribute) if attribute else computed.figures.to_pyarrow()
            return _told(rows, computed, indicator, levels, by, attribute, period, place)


def _asked_day(ws: Workspace, period: str | None, snapshot: str, known_on: date | None, on: date | None) -> date:
    """The last day of the period asked, which chooses the rule version: by default that of the last month that ended."""
    if period:
        try:
            return Month.parse(period).last
        except ValueError as error:
            raise wrong_use("{why}", why=error) from error
    day = on or known_on or judged(ws.snapshots.open_snapshot(snapshot))[0]
    return day if Month.of(day).last == day else Month.of(day).before(1).last


def _by_attribute(programme: Programme, computed: Cut, attribute: str) -> "pa.Table":
    """The figures counted again by an attribute of the subject, or of the place it counts in."""
    import ibis

    from winay.engine.figures import counted, rolled_up

    name = attribute.removeprefix("place.")
    known = {n for n, a in programme.attributes.items() if a.of in ("subject", "place")}
    if name not in known:
        raise WinayError(
            unknown_name(None, "level or attribute", attribute, [*programme.head.levels, *known]), status=2
        )
    if programme.attributes[name].of == "place":
        side = ibis.memtable(computed.places.select(["place", name]))
        rows = computed.verdicts.left_join(side, "place").drop("place_right")
    else:
        side = ibis.memtable(computed.subjects.select(["subject", name]))
        rows = computed.verdicts.left_join(side, "subject").drop("subject_right")
    rows = rows.mutate(**{name: rows[name].cast("string").fill_null("")})
    table = rolled_up(counted(rows, computed.calendar, [name]), computed.calendar, computed.tree, [name])
    table = table.rename_columns([attribute if c == name else c for c in table.column_names])
    return table


def _told(
    rows: "pa.Table", computed: Cut, indicator: Indicator, levels: Sequence[str], by: str | None, attribute: str | None,
    period: str | None, place: str | None,
) -> "pa.Table":  # fmt: skip
    import pyarrow as pa

    tree = computed.tree
    level = by if by in levels else (None if place else levels[0])
    month = str(computed.month(period)) if period or by else None
    if place and place not in tree.places:
        raise WinayError(unknown_name(None, "place", place, tree.places), status=2)
    told = []
    for row in rows.to_pylist():
        inside = not place or (place in tree.ancestors(row["place"]) if by in levels else row["place"] == place)
        if (level and row["level"] != level) or (month and row["month"] != month) or not inside:
            continue
        seat = tree.places.get(row["place"])
        value = row["numerator"] / row["denominator"] if row["denominator"] else None
        told.append(
            {
                "address": f"{indicator.key}/{row['place']}/{row['month']}",
                "indicator": indicator.indicator,
                "rules": indicator.rules,
                **({attribute: row[attribute]} if attribute else {}),
                "level": row["level"],
                "place": row["place"],
                "name": seat.name if seat else row["place"],
                "period": row["month"],
                "numerator": row["numerator"],
                "denominator": row["denominator"],
                "value": value,
                "excluded": row["excluded"],
                "provisional": row["provisional"],
                "history": row.get("history"),
                "reporting": row.get("reporting"),
                "facilities": row.get("facilities"),
                "as_of": min(Month.parse(row["month"]).last, computed.on),
                "known_on": computed.known,
                "snapshot": computed.snapshot,
                "state": "official" if computed.official else "provisional",
            }
        )
    told.sort(key=lambda r: (r["period"], r["place"] or "", str(r.get(attribute or ""))))
    return pa.Table.from_pylist(told) if told else pa.table({})


def subjects(
    ws: Workspace,
    caller: gate.Caller,
    name: str,
    period: str,
    *,
    rules: str | None = None,
    place: str | None = None,
    verdict: str | None = None,
    identities: bool = False,
    snapshot: str = "latest",
    known_on: date | None = None,
) -> list[dict[str, Any]]:
    """The list behind a figure: one row a subject, as many as the figure has. All three verdicts when none is named.

    With `identities` (vault open, look logged): document, district, verdict, components; else subject instead of document.
    """
    import pyarrow as pa

    from winay.workspace.vault import show

    if verdict and verdict not in VERDICTS:
        raise WinayError(unknown_name(None, "verdict", verdict, VERDICTS), status=2)
    programme = promised(ws)
    indicator = indicator_named(programme, name, rules, _asked_day(ws, period, snapshot, known_on, None))
    places = (place,) if place else ()
    asked = f"{indicator.key}/{place or ''}/{period}"
    with gate.tables(ws, caller, "list", what=asked, places=places, identities=identities) as people:
        with cut(ws, people, indicator, snapshot, known_on) as computed:
            month = computed.month(period)
            number = computed.calendar.months.index(month)
            rows = _in_month(computed, number, month, place)
            members = _members(computed.members, [row["subject"] for row in rows]) if identities else {}
        told = []
        for row in rows:
            found = "met" if row["met"] >> number & 1 else "missing" if row["denominator"] >> number & 1 else "excluded"
            if verdict and found != verdict:
                continue
            parts = {
                c.removeprefix("c__"): "met" if row[c] >> number & 1 else "missing" for c in row if c.startswith("c__")
            }
            who = (
                {"document": document(programme, people, members[row["subject"]])}
                if identities
                else {"subject": show(row["person"])}
            )
            told.append({**who, "district": row["district"], "verdict": found, "components": parts})
        people.shown(len(told))
    assert isinstance(computed.subjects, pa.Table)
    return told


def _in_month(computed: Cut, number: int, month: Month, place: str | None) -> list[dict[str, Any]]:
    """The verdict rows of one month and place; `district` is the place in force that day."""
    import ibis

    day = min(month.last, computed.on)
    if place and place not in computed.tree.places:
        raise WinayError(unknown_name(None, "place", place, computed.tree.places), status=2)
    rows = computed.verdicts
    rows = rows.filter(((rows.cohort >> ibis.literal(number, "int32")) & 1) == 1)
    if place:
        rows = rows.filter(rows.place.isin(sorted(computed.tree.below(place, day))))
    found = rows.order_by(["place", "subject"]).to_pyarrow().to_pylist()
    return [row | {"district": computed.tree.on(row["place"], day)} for row in found]


def _members(members: "pa.Table", wanted: Sequence[int]) -> dict[int, list[int]]:
    """The identifiers' pseudonyms of some subjects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mine = members.filter(pc.is_in(members["subject"], pa.array(sorted(set(wanted)), pa.int32())))
    result: dict[int, list[int]] = {subject: [] for subject in wanted}
    for subject, person in zip(mine["subject"].to_pylist(), mine["person"].to_pylist(), strict=True):
        result[subject].append(person)
    return result


def document(programme: Programme, people: gate.People, persons: Sequence[int]) -> str | None:
    """The first of the programme's kinds of document that a subject has, in the order the programme names them."""
    known: dict[str | None, str | None] = {}
    for identity in map(people.identity, persons):
        known.setdefault(identity.get("kind"), identity.get("value"))
    return next((known[kind] for kind in programme.head.documents if kind in known), None)
