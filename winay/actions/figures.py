"""The number, and the list behind it: both are read from the same verdicts."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.evaluate import MONTHS, evaluated, judged, verdicts_name
from winay.actions.opening import month, promised
from winay.core.periods import Month, judged_on
from winay.core.problems import Problem, WinayError, unknown_name, wrong_use
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from winay.engine.judging import Calendar
    from winay.engine.tree import Tree

VERDICTS = ("met", "missing", "excluded")


@dataclass(frozen=True)
class Asked:
    """Which figure: an indicator, its rule version, a month, a place; from a snapshot, or anew, as known on a day.

    on: the judging day of what is evaluated anew (else the day known).
    """

    name: str
    rules: str | None = None
    period: str | None = None
    place: str | None = None
    snapshot: str = "latest"
    known_on: date | None = None
    on: date | None = None

    def indicator(self, ws: Workspace) -> Indicator:
        """Without rules the version in force on the last day of the period: by default the last month that ended."""
        if self.period:
            day = month(self.period).last
        else:
            day = _ended(self.on or self.known_on or judged(ws.snapshots.open_snapshot(self.snapshot))[0]).last
        return indicator_named(promised(ws), self.name, self.rules, day)

    def cut(self, ws: Workspace, people: gate.People, indicator: Indicator) -> "Cut":
        import ibis

        con = ws.connect()
        if self.known_on:
            known, day = people.known(self.known_on), self.on or self.known_on
            figures, ((_, verdicts),) = evaluated(ws, known, day, [indicator], con)
            tables = known.places, known.subjects, known.members, figures, ibis.memtable(verdicts)
            return Cut(indicator, day, self.known_on, MONTHS, None, "provisional", *tables)
        kept = ws.snapshots.open_snapshot(self.snapshot)
        if f"{verdicts_name(indicator)}.parquet" not in kept.manifest["files"]:
            facts = {"key": indicator.key, "id": kept.id}
            raise WinayError(Problem(None, "snapshot {id} has no {key}", "", "evaluate again: winay evaluate", facts))
        rows = kept.read(con, "figures")
        rows = rows.filter((rows.indicator == indicator.indicator) & (rows.rules == indicator.rules))
        places, subjects, members = (kept.read(con, name).to_pyarrow() for name in ("places", "subjects", "members"))
        (day, months), known_on = judged(kept), date.fromisoformat(kept.manifest["known"])
        state, verdicts = "official" if kept.official else "provisional", kept.read(con, verdicts_name(indicator))
        tables = places, subjects, members, rows.to_pyarrow(), verdicts
        return Cut(indicator, day, known_on, months, kept.id, state, *tables)


@dataclass(frozen=True)
class Cut:
    """One indicator as it was computed; `snapshot`: its id, or null. verdicts: an Ibis table."""

    indicator: Indicator
    on: date
    known: date
    months: int
    snapshot: str | None
    state: str
    places: "pa.Table"
    subjects: "pa.Table"
    members: "pa.Table"
    figures: "pa.Table"
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
        months, asked = self.calendar.months, month(period) if period else _ended(self.on)
        if asked not in months:
            hint = "evaluate for a day of that month: winay evaluate --on {last}"
            facts = {"period": asked, "first": months[0], "end": months[-1], "last": asked.last}
            raise wrong_use("{period} is not among the months of this cut", "{first} to {end}", hint, **facts)
        return asked

    def below(self, place: str, day: date) -> list[str]:
        """Every code that counts in a place on a day. Raises WinayError for a place nobody knows."""
        if place not in self.tree.places:
            raise WinayError(unknown_name(None, "place", place, self.tree.places), status=2)
        return sorted(self.tree.below(place, day))


def _ended(on: date) -> Month:
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
        one, several = (
            "on {day} no rule version of {name} is in force",
            "on {day} several rule versions of {name} are in force",
        )
        facts = {"day": day, "name": name, "known": ", ".join(in_force or versions)}
        raise wrong_use(several if in_force else one, "expected one of: {known}", "say which with --rules", **facts)
    if in_force[0] not in versions:
        raise WinayError(unknown_name(None, "rule version", in_force[0], versions), status=2)
    return versions[in_force[0]]


def figures(ws: Workspace, caller: gate.Caller, name: str, *, by: str | None = None, **which: Any) -> "pa.Table":
    """One row a place, month (and attribute value). Without `by`: the root, all months; with it: the month asked.

    which: as in Asked. Columns: address, indicator, rules, level, place, name, period, numerator, denominator, value
    (null: no data), excluded, provisional, history, reporting, facilities, as_of, known_on, snapshot, state (official or
    provisional), and `by` where it is an attribute (then history, reporting and facilities are null).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    asked, levels = Asked(name, **which), promised(ws).head.levels
    with gate.tables(ws, caller, "figures", what=name) as people:
        cut = asked.cut(ws, people, asked.indicator(ws))
    attribute = by if by and by not in levels else None
    rows = _by_attribute(promised(ws), cut, attribute) if attribute else cut.figures
    if asked.period or by:
        rows = rows.filter(pc.field("month") == str(cut.month(asked.period)))
    if asked.place:
        inside = cut.below(asked.place, cut.on) if by in levels else [asked.place]
        rows = rows.filter(pc.is_in(rows["place"], pa.array(inside, pa.string())))
    if by in levels or not asked.place:
        rows = rows.filter(pc.field("level") == (by if by in levels else levels[0]))
    return _told(rows, cut, attribute)


def _by_attribute(programme: Programme, cut: Cut, attribute: str) -> "pa.Table":
    """The figures counted again by an attribute of the subject, or of the place it counts in."""
    import ibis
    import pyarrow as pa

    from winay.engine.figures import counted, rolled_up

    name = attribute.removeprefix("place.")
    owners = {name: a.of for name, a in programme.attributes.items() if a.of != "provider"}
    if name not in owners:
        known = [*programme.head.levels, *owners]
        raise WinayError(unknown_name(None, "level or attribute", attribute, known), status=2)
    key, side = ("place", cut.places) if owners[name] == "place" else ("subject", cut.subjects)
    rows = cut.verdicts.left_join(ibis.memtable(side.select([key, name])), key).drop(f"{key}_right")
    rows = rows.mutate(**{name: rows[name].cast("string").fill_null("")}).to_pyarrow()
    table = rolled_up(counted(rows, cut.calendar, [name]), cut.calendar, cut.tree, [name])
    for column, kind in (("history", pa.string()), ("reporting", pa.int32()), ("facilities", pa.int32())):
        table = table.append_column(column, pa.nulls(len(table), kind))
    return table.rename_columns([attribute if column == name else column for column in table.column_names])


def _told(rows: "pa.Table", cut: Cut, attribute: str | None) -> "pa.Table":
    """The rows as they are shown, each saying what it rests on."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own = [attribute] if attribute else []
    rows = rows.sort_by([(name, "ascending") for name in ("month", "place", *own)])
    places, months, known = rows["place"].to_pylist(), rows["month"].to_pylist(), cut.tree.places
    whole = pc.if_else(pc.equal(rows["denominator"], 0), None, rows["denominator"]).cast(pa.float64())
    same = {
        "indicator": cut.indicator.indicator,
        "rules": cut.indicator.rules,
        "snapshot": cut.snapshot,
        "state": cut.state,
    }
    made = {name: pa.array([value] * len(rows), pa.string()) for name, value in same.items()} | {
        "address": pa.array([f"{cut.indicator.key}/{p}/{m}" for p, m in zip(places, months, strict=True)], pa.string()),
        "name": pa.array([known[place].name if place in known else place for place in places], pa.string()),
        "period": rows["month"],
        "value": pc.divide(rows["numerator"].cast(pa.float64()), whole),
        "as_of": pa.array([judged_on(Month.parse(m), cut.on) for m in months], pa.date32()),
        "known_on": pa.array([cut.known] * len(rows), pa.date32()),
    }
    names = ["address", "indicator", "rules", *own, *FIGURE]
    return pa.table({name: made[name] if name in made else rows[name] for name in names})


FIGURE = ("level", "place", "name", "period", "numerator", "denominator", "value", "excluded", "provisional", "history",
          "reporting", "facilities", "as_of", "known_on", "snapshot", "state")  # fmt: skip


def subjects(
    ws: Workspace, caller: gate.Caller, name: str, period: str, *, verdict: str | None = None, identities: bool = False,
    **which: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """The list behind a figure: one row a subject, as many as the figure has. All three verdicts when none is named.

    which: as in Asked. Keys: subject (with `identities`, vault open and look logged: document), district, verdict,
    components.
    """
    import ibis

    from winay.workspace.vault import show

    if verdict and verdict not in VERDICTS:
        raise WinayError(unknown_name(None, "verdict", verdict, VERDICTS), status=2)
    asked = Asked(name, period=period, **which)
    indicator, place = asked.indicator(ws), asked.place
    what, places = f"{indicator.key}/{place or ''}/{period}", (place,) if place else ()
    with gate.tables(ws, caller, "list", what=what, places=places, identities=identities) as people:
        cut = asked.cut(ws, people, indicator)
        bit, day = 1 << cut.calendar.months.index(cut.month(period)), judged_on(cut.month(period), cut.on)
        rows = cut.verdicts.filter((cut.verdicts.cohort & ibis.literal(bit, "int32")) != 0)
        rows = rows.filter(rows.place.isin(cut.below(place, day))) if place else rows
        found = [(row, verdict_of(row, bit)) for row in rows.order_by("place", "subject").to_pyarrow().to_pylist()]
        found = [(row, told) for row, told in found if verdict in (None, told["verdict"])]
        numbers = [row["subject"] for row, _ in found]
        documents = _documents(people, promised(ws).head.documents, cut.members, numbers) if identities else {}
        people.shown(len(found))
    listed = []
    for row, told in found:
        who = {"document": documents.get(row["subject"])} if identities else {"subject": show(row["person"])}
        listed.append(who | {"district": cut.tree.on(row["place"], day)} | told)
    return listed


def verdict_of(row: dict[str, Any], bit: int = 1) -> dict[str, Any]:
    """verdict and components of one row of verdicts, in the month of a bit."""
    verdict = "met" if row["met"] & bit else "missing" if row["denominator"] & bit else "excluded"
    parts = {c.removeprefix("c__"): "met" if row[c] & bit else "missing" for c in row if c.startswith("c__")}
    return {"verdict": verdict, "components": parts}


def _documents(people: gate.People, kinds: list[str], members: "pa.Table", subjects: list[int]) -> dict[int, str]:
    """The document of each subject: of those it has, of the kind named first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mine = members.filter(pc.is_in(members["subject"], pa.array(subjects, members["subject"].type)))
    known = people.identities(mine["person"].to_pylist())
    found = ((known.get(member["person"], {}), member["subject"]) for member in mine.to_pylist())
    told = [(kinds.index(who["kind"]), who["value"], subject) for who, subject in found if who.get("kind") in kinds]
    return {subject: value for _, value, subject in sorted(told, reverse=True)}
