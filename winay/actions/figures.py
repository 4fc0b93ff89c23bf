"""The number, and the list behind it: both are read from the same verdicts."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.evaluate import figures_of, judged, verdicts_name
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
class Cut:
    """One indicator as it was computed: kept in a snapshot (its id), or now, from what was known on some day."""

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
        months = self.calendar.months
        asked = month(period) if period else _ended(self.on)
        if asked not in months:
            hint = "evaluate for a day of that month: winay evaluate --on {last}"
            facts = {"period": asked, "first": months[0], "end": months[-1], "last": asked.last}
            raise wrong_use("{period} is not among the months of this cut", "{first} to {end}", hint, **facts)
        return asked

    def place(self, code: str) -> str:
        """The code, once it is sure that there is such a place."""
        if code not in self.tree.places:
            raise WinayError(unknown_name(None, "place", code, self.tree.places), status=2)
        return code


def _ended(on: date) -> Month:
    """The last month that has ended on a day."""
    return Month.of(on) if Month.of(on).last == on else Month.of(on).before(1)


def cut(
    ws: Workspace, people: gate.People, indicator: Indicator, snapshot: str, known_on: date | None, on: date | None
) -> Cut:
    """One indicator from a snapshot, or, with `known_on`, evaluated anew from what was known that day."""
    con = ws.connect()
    if known_on:
        known = people.known(known_on)
        verdicts: list[Any] = []
        day = on or known_on
        figures = figures_of(ws, known, day, [indicator], con, lambda _, rows: verdicts.append(rows))
        parts = (known.places, known.subjects, known.members, figures)
        return Cut(day, known_on, 24, None, "provisional", *parts, verdicts[0])
    kept = ws.snapshots.open_snapshot(snapshot)
    if f"{verdicts_name(indicator)}.parquet" not in kept.manifest["files"]:
        facts = {"key": indicator.key, "id": kept.id}
        raise WinayError(Problem(None, "snapshot {id} has no {key}", "", "evaluate again: winay evaluate", facts))
    rows = kept.read(con, "figures")
    rows = rows.filter((rows.indicator == indicator.indicator) & (rows.rules == indicator.rules))
    places, people_then, members = (kept.read(con, name).to_pyarrow() for name in ("places", "subjects", "members"))
    parts = (places, people_then, members, rows.to_pyarrow())
    state = "official" if kept.official else "provisional"
    (day, months), known_then = judged(kept), date.fromisoformat(kept.manifest["known"])
    return Cut(day, known_then, months, kept.id, state, *parts, kept.read(con, verdicts_name(indicator)))


def indicator_named(programme: Programme, name: str, rules: str | None, day: date) -> Indicator:
    """`MC-02.01`, or `MC-02.01@FED2026`; without rules the version in force that day, if there is one and only one."""
    name, _, written = name.partition("@")
    versions = {i.rules: i for i in programme.indicators.values() if i.indicator == name}
    if not versions:
        known = {i.indicator for i in programme.indicators.values()}
        raise WinayError(unknown_name(None, "indicator", name, known), status=2)
    if wanted := rules or written:
        if wanted not in versions:
            raise WinayError(unknown_name(None, "rule version", wanted, versions), status=2)
        return versions[wanted]
    in_force = programme.rules_in_force(name, day)
    if len(in_force) != 1:
        found = "on {day} no rule version of {name} is in force"
        if in_force:
            found = "on {day} several rule versions of {name} are in force"
        facts = {"day": day, "name": name, "known": ", ".join(in_force or versions)}
        raise wrong_use(found, "expected one of: {known}", "say which with --rules", **facts)
    return versions[in_force[0]]


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
    and `by` where it is an attribute (then history, reporting and facilities are null).
    """
    import pyarrow.compute as pc

    programme, levels = promised(ws), promised(ws).head.levels
    with gate.tables(ws, caller, "figures", what=name) as people:
        indicator = indicator_named(programme, name, rules, _asked_day(ws, period, snapshot, known_on, on))
        done = cut(ws, people, indicator, snapshot, known_on, on)
    attribute = by if by and by not in levels else None
    rows = _by_attribute(programme, done, attribute) if attribute else done.figures
    if period or by:
        rows = rows.filter(pc.field("month") == str(done.month(period)))
    if place and by in levels:
        rows = rows.filter(pc.is_in(rows["place"], pc.cast(_below(done, place), rows["place"].type)))
    elif place:
        rows = rows.filter(pc.field("place") == done.place(place))
    if by in levels or not place:
        rows = rows.filter(pc.field("level") == (by if by in levels else levels[0]))
    return _told(rows, done, indicator, attribute)


def _below(done: Cut, place: str) -> Any:
    import pyarrow as pa

    done.place(place)
    return pa.array([code for code in done.tree.places if place in done.tree.ancestors(code)], pa.string())


def _asked_day(ws: Workspace, period: str | None, snapshot: str, known_on: date | None, on: date | None) -> date:
    """The last day of the period asked, which chooses the rule version: by default that of the last month that ended."""
    if period:
        return month(period).last
    return _ended(on or known_on or judged(ws.snapshots.open_snapshot(snapshot))[0]).last


def _by_attribute(programme: Programme, done: Cut, attribute: str) -> "pa.Table":
    """The figures counted again by an attribute of the subject, or of the place it counts in."""
    import ibis
    import pyarrow as pa

    from winay.engine.figures import counted, rolled_up

    name = attribute.removeprefix("place.")
    owners = {name: a.of for name, a in programme.attributes.items() if a.of != "provider"}
    if name not in owners:
        known = [*programme.head.levels, *owners]
        raise WinayError(unknown_name(None, "level or attribute", attribute, known), status=2)
    key, side = ("place", done.places) if owners[name] == "place" else ("subject", done.subjects)
    rows = done.verdicts.left_join(ibis.memtable(side.select([key, name])), key).drop(f"{key}_right")
    rows = rows.mutate(**{name: rows[name].cast("string").fill_null("")})
    table = rolled_up(counted(rows.to_pyarrow(), done.calendar, [name]), done.calendar, done.tree, [name])
    for column, kind in (("history", pa.string()), ("reporting", pa.int32()), ("facilities", pa.int32())):
        table = table.append_column(column, pa.nulls(len(table), kind))
    return table.rename_columns([attribute if column == name else column for column in table.column_names])


def _told(rows: "pa.Table", done: Cut, indicator: Indicator, attribute: str | None) -> "pa.Table":
    """The rows as they are shown, each saying what it rests on."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = rows.sort_by([(name, "ascending") for name in ("month", "place", *filter(None, [attribute]))])
    places, months = rows["place"].to_pylist(), rows["month"].to_pylist()
    known = done.tree.places
    whole = pc.if_else(pc.equal(rows["denominator"], 0), None, rows["denominator"])

    def same(value: object, kind: Any = None) -> "pa.Array":
        return pa.array([value] * len(rows), kind or pa.string())

    return pa.table(
        {
            "address": pa.array([f"{indicator.key}/{p}/{m}" for p, m in zip(places, months, strict=True)], pa.string()),
            "indicator": same(indicator.indicator),
            "rules": same(indicator.rules),
            **({attribute: rows[attribute]} if attribute else {}),
            "level": rows["level"],
            "place": rows["place"],
            "name": pa.array([known[p].name if p in known else p for p in places], pa.string()),
            "period": rows["month"],
            "numerator": rows["numerator"],
            "denominator": rows["denominator"],
            "value": pc.divide(rows["numerator"].cast(pa.float64()), whole.cast(pa.float64())),
            **{name: rows[name] for name in ("excluded", "provisional", "history", "reporting", "facilities")},
            "as_of": pa.array([judged_on(Month.parse(m), done.on) for m in months], pa.date32()),
            "known_on": same(done.known, pa.date32()),
            "snapshot": same(done.snapshot),
            "state": same(done.state),
        }
    )


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

    Keys: subject (with `identities`, vault open and look logged: document), district, verdict, components.
    """
    import ibis

    from winay.workspace.vault import show

    if verdict and verdict not in VERDICTS:
        raise WinayError(unknown_name(None, "verdict", verdict, VERDICTS), status=2)
    indicator = indicator_named(promised(ws), name, rules, month(period).last)
    what, places = f"{indicator.key}/{place or ''}/{period}", (place,) if place else ()
    with gate.tables(ws, caller, "list", what=what, places=places, identities=identities) as people:
        done = cut(ws, people, indicator, snapshot, known_on, None)
        asked = done.month(period)
        bit, day = 1 << done.calendar.months.index(asked), judged_on(asked, done.on)
        rows = done.verdicts.filter((done.verdicts.cohort & ibis.literal(bit, "int32")) != 0)
        if place:
            rows = rows.filter(rows.place.isin(sorted(done.tree.below(done.place(place), day))))
        found = [(row, verdict_of(row, bit)) for row in rows.order_by("place", "subject").to_pyarrow().to_pylist()]
        found = [(row, told) for row, told in found if verdict in (None, told["verdict"])]
        documents = _documents(ws, people, done.members, [row["subject"] for row, _ in found]) if identities else {}
        people.shown(len(found))
    return [
        ({"document": documents.get(row["subject"])} if identities else {"subject": show(row["person"])})
        | {"district": done.tree.on(row["place"], day), **told}
        for row, told in found
    ]


def verdict_of(row: dict[str, Any], bit: int = 1) -> dict[str, Any]:
    """verdict and components of one row of verdicts, in the month of a bit."""
    verdict = "met" if row["met"] & bit else "missing" if row["denominator"] & bit else "excluded"
    parts = {c.removeprefix("c__"): "met" if row[c] & bit else "missing" for c in row if c.startswith("c__")}
    return {"verdict": verdict, "components": parts}


def _documents(ws: Workspace, people: gate.People, members: "pa.Table", wanted: list[int]) -> dict[int, str]:
    """The document of each subject: of those it has, the kind that the programme names first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mine = members.filter(pc.is_in(members["subject"], pa.array(wanted, members["subject"].type)))
    known = people.identities(mine["person"].to_pylist())
    kinds = {kind: n for n, kind in enumerate(promised(ws).head.documents)}
    best: dict[int, tuple[int, str]] = {}
    for member in mine.to_pylist():
        identity = known.get(member["person"], {})
        if identity.get("kind") in kinds:
            told = kinds[identity["kind"]], identity["value"]
            best[member["subject"]] = min(best.get(member["subject"], told), told)
    return {subject: value for subject, (_, value) in best.items()}
