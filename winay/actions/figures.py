"""The number, and the list behind it: both are read from the same verdicts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import ibis
import pyarrow as pa

from winay.actions import gate
from winay.actions.evaluate import MONTHS, evaluated, verdicts_name
from winay.actions.opening import month, promised
from winay.core.periods import Month, judged_on
from winay.core.problems import Problem, WinayError, unknown_name, wrong_use
from winay.engine.figures import counted
from winay.engine.judging import Calendar
from winay.engine.tree import Tree
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.workspace import Workspace
from winay.workspace.vault import show

VERDICTS = ("met", "missing", "excluded")
RESTS_ON = ("history", "reporting", "facilities")
SHOWN = ("level", "place", "name", "period", "numerator", "denominator", "value", "excluded", "provisional", *RESTS_ON,
         "as_of", "known_on", "snapshot", "state")  # fmt: skip


@dataclass(frozen=True)
class Cut:
    """One indicator as it was computed: kept in a snapshot (`snapshot`: its id), or just now (null).

    read: a table of actions.evaluate.evaluated by its name, as an Ibis table.
    """

    indicator: Indicator
    calendar: Calendar
    known: date
    snapshot: str | None
    state: str
    read: Callable[[str], Any]

    @classmethod
    def of(
        cls, ws: Workspace, people: gate.People, name: str, period: str | None, *, rules: str | None = None,
        snapshot: str = "latest", known_on: date | None = None, on: date | None = None,
    ) -> "Cut":  # fmt: skip
        """From a snapshot; with `known_on` computed anew, as known on that day, judged on `on` (else that day).

        Without rules the version in force on the last day of the period: by default the last month that ended.
        """
        con = ws.connect()
        kept = None if known_on else ws.snapshots.open_snapshot(snapshot)
        judged = date.fromisoformat(kept.manifest["on"]) if kept else on or known_on
        assert judged
        asked = month(period) if period else ended(on or judged)
        indicator = indicator_named(promised(ws), name, rules, asked.last)
        if kept is None:
            assert known_on
            made = evaluated(promised(ws), people.known(known_on), judged, [indicator])
            calendar = Calendar.back_from(judged, MONTHS)
            return cls(indicator, calendar, known_on, None, "provisional", lambda name: ibis.memtable(made[name]))
        if f"{verdicts_name(indicator)}.parquet" not in kept.manifest["files"]:
            facts = {"key": indicator.key, "id": kept.id}
            raise WinayError(Problem(None, "snapshot {id} has no {key}", "", "evaluate again: winay evaluate", facts))
        known, state = date.fromisoformat(kept.manifest["known"]), "official" if kept.official else "provisional"
        calendar = Calendar.back_from(judged, kept.manifest["months"])
        return cls(indicator, calendar, known, kept.id, state, lambda name: kept.read(con, name))

    @cached_property
    def tree(self) -> Tree:
        return Tree.of(self.read("places").to_pyarrow().to_pylist())

    @cached_property
    def verdicts(self) -> Any:
        return self.read(verdicts_name(self.indicator))

    def month(self, period: str | None) -> Month:
        """The month asked for; without one, the last that has ended."""
        return month_among(self.calendar, period)


def month_among(calendar: Calendar, period: str | None) -> Month:
    """The month asked for, of those of a cut; without one, the last that has ended."""
    months, asked = calendar.months, month(period) if period else ended(calendar.on)
    if asked not in months:
        hint = "evaluate for a day of that month: winay evaluate --on {last}"
        facts = {"period": asked, "first": months[0], "end": months[-1], "last": asked.last}
        raise wrong_use("{period} is not among the months of this cut", "{first} to {end}", hint, **facts)
    return asked


def ended(on: date) -> Month:
    """The last month that has ended on a day."""
    return Month.of(on) if Month.of(on).last == on else Month.of(on).before(1)


def indicator_named(programme: Programme, name: str, rules: str | None, day: date) -> Indicator:
    """`MC-02.01`, or `MC-02.01@FED2026`; without rules the version in force that day, if there is one and only one."""
    name, _, written = name.partition("@")
    versions = {i.rules: i for i in programme.indicators.values() if i.indicator == name}
    if not versions:
        known = {i.indicator for i in programme.indicators.values()}
        raise WinayError(unknown_name(None, "indicator", name, known), status=2)
    in_force = [wanted] if (wanted := rules or written) else programme.rules_in_force(name, day)
    if len(in_force) != 1:
        facts = {"day": day, "name": name, "known": ", ".join(in_force or versions)}
        several, none = (
            "on {day} several rule versions of {name} are in force",
            "on {day} no rule version of {name} is in force",
        )
        raise wrong_use(several if in_force else none, "expected one of: {known}", "say which with --rules", **facts)
    if in_force[0] not in versions:
        raise WinayError(unknown_name(None, "rule version", in_force[0], versions), status=2)
    return versions[in_force[0]]


def figures(
    ws: Workspace, caller: gate.Caller, name: str, *, by: str | None = None, period: str | None = None,
    place: str | None = None, **which: Any,
) -> pa.Table:  # fmt: skip
    """One row a place, month (and attribute value). Without `by`: the root, all months; with it: the month asked.

    which: as in Cut.of. Columns: address, indicator, rules, level, place, name, period, numerator, denominator, value
    (null: no data), excluded, provisional, history, reporting, facilities, as_of, known_on, snapshot, state (official or
    provisional), and `by` where it is an attribute (then history, reporting and facilities are null).
    """
    levels = promised(ws).head.levels
    level = by if by in levels else None
    own = [by] if by and not level else []
    with gate.tables(ws, caller, "figures", what=name) as people:
        cut = Cut.of(ws, people, name, period, **which)
    meant, places, months, on = cut.indicator, cut.tree.places, cut.calendar.months, cut.calendar.on
    if by and not level:
        rows = _by_attribute(promised(ws), cut, by)
    else:
        rows = cut.read("figures")
        rows = rows.filter((rows.indicator == meant.indicator) & (rows.rules == meant.rules))
    if period or by:
        rows = rows.filter(rows.month == str(cut.month(period)))
    if place:
        rows = rows.filter(rows.place.isin(cut.tree.below(place, on) if level else [place]))
    if level or not place:
        rows = rows.filter(rows.level == (level or levels[0]))
    names = pa.table({"place": list(places), "name": [place.name for place in places.values()]})
    days = pa.table({"month": [str(m) for m in months], "as_of": [judged_on(m, on) for m in months]})
    rows = rows.left_join(ibis.memtable(names), "place").left_join(ibis.memtable(days), "month")
    rows = rows.mutate(
        address=ibis.literal(f"{meant.key}/") + rows.place + "/" + rows.month,
        indicator=ibis.literal(meant.indicator),
        rules=ibis.literal(meant.rules, "string"),
        name=ibis.coalesce(rows.name, rows.place),
        period=rows.month,
        value=rows.numerator / rows.denominator.nullif(0),
        known_on=ibis.literal(cut.known),
        snapshot=ibis.literal(cut.snapshot, "string"),
        state=ibis.literal(cut.state),
    )
    rows = rows.order_by("month", "place", *own).select("address", "indicator", "rules", *own, *SHOWN)
    told: pa.Table = rows.to_pyarrow()
    return told


def _by_attribute(programme: Programme, cut: Cut, attribute: str) -> Any:
    """The figures counted again by an attribute of the subject, or of the place it counts in."""
    name, key, side = attribute_of(programme, attribute)
    rows = cut.verdicts.left_join(cut.read(side).select(key, name), key)
    rows = rows.mutate(**{name: rows[name].cast("string").fill_null("")}).to_pyarrow()
    table = ibis.memtable(counted(rows, cut.calendar, cut.tree, name))
    nulls = {"history": ibis.null("string"), "reporting": ibis.null("int32"), "facilities": ibis.null("int32")}
    return table.rename({attribute: name}).mutate(**nulls)


def attribute_of(programme: Programme, text: str) -> tuple[str, str, str]:
    """(its name, the column that says whose it is, the table that has both) of an attribute of subjects or places."""
    name = text.removeprefix("place.")
    owners = {name: a.of for name, a in programme.attributes.items() if a.of != "provider"}
    if name not in owners:
        known = [*programme.head.levels, *owners]
        raise WinayError(unknown_name(None, "level or attribute", text, known), status=2)
    return (name, "place", "places") if owners[name] == "place" else (name, "subject", "subjects")


def subjects(
    ws: Workspace, caller: gate.Caller, name: str, period: str, *, place: str | None = None, verdict: str | None = None,
    identities: bool = False, **which: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """The list behind a figure: one row a subject, as many as the figure has. All three verdicts when none is named.

    which: as in Cut.of. Keys: subject (with `identities`, vault open and look logged: document), district, verdict,
    components.
    """
    if verdict and verdict not in VERDICTS:
        raise WinayError(unknown_name(None, "verdict", verdict, VERDICTS), status=2)
    what, places = f"{name}/{place or ''}/{period}", (place,) if place else ()
    with gate.tables(ws, caller, "list", what=what, places=places, identities=identities) as people:
        cut = Cut.of(ws, people, name, period, **which)
        asked = cut.month(period)
        bit, day = 1 << cut.calendar.months.index(asked), judged_on(asked, cut.calendar.on)
        rows = cut.verdicts.filter((cut.verdicts.cohort & bit) != 0)
        rows = rows.filter(rows.place.isin(cut.tree.below(place, day))) if place else rows
        found = [row | verdict_of(row, bit) for row in rows.order_by("place", "subject").to_pyarrow().to_pylist()]
        found = [row for row in found if verdict in (None, row["verdict"])]
        documents = _documents(people, promised(ws), cut, [row["subject"] for row in found]) if identities else {}
        people.shown(len(found))
    listed = []
    for row in found:
        who = {"document": documents.get(row["subject"])} if identities else {"subject": show(row["person"])}
        where = {"district": cut.tree.on(row["place"], day)}
        listed.append(who | where | {"verdict": row["verdict"], "components": row["components"]})
    return listed


def verdict_of(row: dict[str, Any], bit: int = 1) -> dict[str, Any]:
    """verdict and components of one row of verdicts, in the month of a bit."""
    verdict = "met" if row["met"] & bit else "missing" if row["denominator"] & bit else "excluded"
    parts = {c.removeprefix("c__"): "met" if row[c] & bit else "missing" for c in row if c.startswith("c__")}
    return {"verdict": verdict, "components": parts}


def _documents(people: gate.People, programme: Programme, cut: Cut, subjects: list[int]) -> dict[int, str]:
    """The document of each subject: of those it has, of the kind named first."""
    wanted = ibis.memtable(pa.table({"subject": pa.array(subjects, pa.int32())}))
    mine = cut.read("members").semi_join(wanted, "subject").to_pyarrow().to_pylist()
    known, kinds = people.identities([member["person"] for member in mine]), programme.head.documents
    found = ((known.get(member["person"], {}), member["subject"]) for member in mine)
    told = [(kinds.index(who["kind"]), who["value"], subject) for who, subject in found if who.get("kind") in kinds]
    return {subject: value for _, value, subject in sorted(told, reverse=True)}
