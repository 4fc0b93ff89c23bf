"""Commands that answer: evaluate, figures, the list behind a figure, what is due, one story, the proof; snapshots."""

import sys
from typing import Annotated, Any

import typer

from winay.cli import show, told
from winay.cli.command import DayOpt, KnownOpt, arg, asked, group, here, opt, verb, workspace
from winay.core.problems import WinayError, unknown_name
from winay.core.text import say
from winay.publish.context import events

IndicatorArg = Annotated[str, arg("an indicator, as MC-02.01 or MC-02.01@FED2026", "INDICATOR")]
PersonArg = Annotated[str, arg("a pseudonym, or a document as kind:value", "ID")]
KeyArg = Annotated[str | None, arg("a series, or the code that it measures", "KEY")]
ProofArg = Annotated[str, arg("a subject as for `child`, or a figure as MC-02.01@FED2026/030101/2026-05", "ID|FIGURE")]
RulesOpt = Annotated[str | None, opt("the rule version (that in force)", "--rules", "V")]
ByOpt = Annotated[str | None, opt("a level of places, or an attribute", "--by", "LEVEL|ATTRIBUTE")]
PlaceOpt = Annotated[str | None, opt("a place of any level, by its code", "--place", "U")]
PlaceNeeded = Annotated[str, opt("a place of any level, by its code", "--place", "U")]
PeriodOpt = Annotated[str | None, opt("the month, as 2026-05", "--period", "P")]
PeriodNeeded = Annotated[str, opt("the month, as 2026-05", "--period", "P")]
SnapshotOpt = Annotated[str, opt("the snapshot (latest)", "--snapshot", "ID")]
FormatOpt = Annotated[str, opt("table, csv, json or parquet", "--format", "FORMAT")]
VerdictOpt = Annotated[str | None, opt("met, missing or excluded (all three)", "--verdict", "VERDICT")]
OnlyOpt = Annotated[str | None, opt("only this indicator", "--indicator", "INDICATOR")]
NamesOpt = Annotated[bool, opt("with names and documents; the look is written down", "--identities")]
IdArg = Annotated[str, arg("its number, or the beginning of it; latest; a period: its official one", "ID")]
OfficialOpt = Annotated[str, opt("the month it is official for", "--period", "2026-05")]
ReplaceOpt = Annotated[bool, opt("in the place of the official one there is", "--replace")]
KeepOpt = Annotated[int, opt("so many of the newest stay", "--keep", "N")]
RawOpt = Annotated[bool, opt("the delivered lines, names and all; the look is written down", "--raw")]

BINARY = ("csv", "parquet")
FORMATS = ("table", "json", *BINARY)
SHOWN = ("rules", "period", "place", "name", "numerator", "denominator", "value", "excluded", "history", "reporting",
         "facilities", "state")  # fmt: skip
VALUES = ("series", "period", "place", "name", "value", "low", "high", "numerator", "denominator", "unit", "target",
          "issuer", "date")  # fmt: skip
LISTED = ("series", "title", "indicator", "issuer", "date", "unit", "values", "first", "last")


def register(app: typer.Typer) -> None:
    for command in (evaluate, figures, series, subjects, due, child, explain):
        verb(app)(command)
    group(app, snapshots, {"list": listed, "show": shown, "official": official, "prune": prune})


def evaluate(on: DayOpt = None, known_on: KnownOpt = None) -> None:
    """Judge everybody by every rule, for 24 months, and keep the answer as a snapshot.

    Example: winay evaluate --on 2026-10-31
    """
    from winay.actions.evaluate import evaluate
    from winay.engine.kernel import compiled

    ws, me, now = here()
    known = known_on or now
    if not compiled():
        show.note(say("compiling the engine once; the next time it is ready"))
    with show.progress("subjects judged") as advance:
        kept = evaluate(ws, me, on or known, known, advance=advance)
    show.facts(
        {"snapshot": kept.id} | {k: kept.manifest[k] for k in ("on", "known", "subjects", "records", "programme")}
    )


def figures(
    indicator: IndicatorArg, rules: RulesOpt = None, by: ByOpt = None, period: PeriodOpt = None, place: PlaceOpt = None,
    snapshot: SnapshotOpt = "latest", known_on: KnownOpt = None, on: DayOpt = None, format: FormatOpt = "table",
) -> None:  # fmt: skip
    """The figures of an indicator, each with its numerator, denominator, and what it rests on.

    JSON: address, indicator, rules, level, place, name, period, numerator, denominator, value, excluded, provisional,
    history, reporting, facilities, as_of, known_on, snapshot, state; with --by ATTRIBUTE also that; published (what
    others published of the same) and context (what happened there then). Of a code that only a survey measures, the
    published values: as of winay series.

    Example: winay figures MC-02.01 --by province --period 2026-10
    Example: winay figures MEF-4910 --by region --period 2021
    """
    from winay.actions.beside import official, official_only, with_beside
    from winay.actions.figures import figures
    from winay.actions.opening import promised

    if format not in FORMATS:
        raise WinayError(unknown_name(None, "format", format, FORMATS), status=2)
    ws, me, now = here()
    if official_only(promised(ws), indicator):
        return _published(official(ws, known_on or now, indicator, by=by, period=period, place=place), format)
    which = {"rules": rules, "by": by, "period": period, "place": place}
    table = figures(ws, me, indicator, **which, snapshot=snapshot, known_on=known_on, on=on)
    if format in BINARY:
        return _written(table, format)
    rows = with_beside(ws, table.to_pylist())
    if format == "json" or asked.json:
        return show.answer(rows)
    own = [by] if by and by in table.column_names else []
    there = [name for name in ("published", "context") if any(row[name] for row in rows)]
    names = [*SHOWN[:4], *own, *SHOWN[4:], *there]
    told_beside = {"published": told.values, "context": events}
    rows = [row | {name: "; ".join(told_beside[name](row[name])) for name in there} for row in rows]
    return show.rows(rows, "no figures: nobody is in the cohort", names)


def series(key: KeyArg = None, place: PlaceOpt = None, known_on: KnownOpt = None) -> None:
    """The series that others published: which there are, or the values of one, with issuer, date, interval and caveat.

    JSON: series, title, indicator, target, unit, issuer, date, caveat; values (how many), first, last; of one series
    instead place, name, period, value, low, high, numerator, denominator.

    Example: winay series
    Example: winay series sien-anemia-6-35m --place 0101
    """
    from winay.actions.beside import Beside

    ws, _, now = here()
    known = Beside(ws, known_on or now)
    if key:
        return _published(known.series(key, place))
    return show.rows(known.listing(), names=LISTED)


def _published(rows: list[dict[str, Any]], format: str = "table") -> None:
    """Published values: a table, and under it the caveat of each series."""
    if format in BINARY:
        import pyarrow

        return _written(pyarrow.Table.from_pylist(rows), format)
    if format == "json" or asked.json:
        return show.answer(rows)
    names = [name for name in VALUES if any(row[name] is not None for row in rows)]
    show.rows(rows, empty="nobody published a value of it that is loaded here: bring it with winay load", names=names)
    for key, caveat in dict.fromkeys((row["series"], row["caveat"]) for row in rows):
        show.write(f"\n{key}: {caveat}")
    return None


def _written(table: Any, format: str) -> None:
    """A table of Arrow on stdout, for other programs."""
    import pyarrow.csv
    import pyarrow.parquet

    write = pyarrow.csv.write_csv if format == "csv" else pyarrow.parquet.write_table
    write(table, sys.stdout.buffer)


def subjects(
    indicator: IndicatorArg, period: PeriodNeeded, rules: RulesOpt = None, place: PlaceOpt = None,
    verdict: VerdictOpt = None, identities: NamesOpt = False, snapshot: SnapshotOpt = "latest", known_on: KnownOpt = None,
) -> None:  # fmt: skip
    """The list behind a figure: one line a subject, each component with its status.

    JSON: subject (with --identities: document), district, verdict, components.

    Example: winay subjects MC-02.01 --period 2026-10 --verdict missing
    """
    from winay.actions.figures import subjects

    ws, me, _ = here()
    which = {"rules": rules, "place": place, "verdict": verdict}
    found = subjects(ws, me, indicator, period, **which, identities=identities, snapshot=snapshot, known_on=known_on)
    show.rows(found, "nobody")


def due(
    place: PlaceNeeded,
    on: DayOpt = None,
    rules: RulesOpt = None,
    known_on: KnownOpt = None,
    identities: NamesOpt = False,
) -> None:
    """Who is owed what on a day, worst first, by village and household.

    Without --rules: what any rule version in force on the day owes.

    JSON: settlement, household, subject, name, kind, birth, district, product, delivery, status, since, by, until,
    rules, days.

    Example: winay due --place 030101 --on 2026-10-31
    """
    from winay.actions.stories import due

    ws, me, now = here()
    rows = due(ws, me, place, on or now, known_on or now, rules=rules, identities=identities)
    names = [name for row in rows[:1] for name in row if identities or name != "name"]
    show.rows(rows, "nobody", names)


def child(id: PersonArg, on: DayOpt = None, known_on: KnownOpt = None) -> None:
    """One subject's story: every standard as a timeline, every indicator's verdict.

    JSON: subject, on, known_on, attributes, residences, standards, indicators.

    Example: winay child 4RX9QGX1P5DNA --on 2026-10-31
    """
    from winay.actions.stories import story

    ws, me, now = here()
    found = story(ws, me, id, on or now, known_on or now)
    show.answer(found) if asked.json else told.tell_story(found)


def explain(
    id: ProofArg, indicator: OnlyOpt = None, on: DayOpt = None, known_on: KnownOpt = None, raw: RawOpt = False
) -> None:
    """The proof: claim, because, record with file and line, rule and article; also why something does not count.

    JSON: of a figure figure, rule, counts, missing, list; of a subject subject, on, known_on, attributes, registry,
    indicators.

    Example: winay explain MC-02.01@FED2026/030101/2026-10
    """
    from winay.actions.explain import explain

    ws, me, now = here()
    found = explain(ws, me, id, indicator, on or now, known_on or now, raw=raw)
    show.answer(found) if asked.json else told.tell_proof(found)


def snapshots() -> None:
    """What was computed, kept as it was: one official cut a period, all others provisional.

    Example: winay snapshots list
    """


def listed() -> None:
    """Every snapshot, oldest first: as of which day, known on which, official or provisional.

    Example: winay snapshots list
    """
    kept = workspace().snapshots
    show.rows((_line(kept.open_snapshot(id)) for id in kept.ids()), "there is no snapshot yet: winay evaluate")


def shown(snapshot: IdArg = "latest") -> None:
    """One snapshot: what it was made from, and its files.

    Example: winay snapshots show latest
    """
    found = workspace().snapshots.open_snapshot(snapshot)
    show.facts({**found.manifest, **_line(found)})


def official(snapshot: IdArg, period: OfficialOpt, replace: ReplaceOpt = False) -> None:
    """Make a snapshot the official one of a period. What was published before stays.

    Example: winay snapshots official latest --period 2026-05
    """
    from winay.actions.opening import month

    show.facts(_line(workspace().snapshots.official(snapshot, str(month(period)), replace)))


def prune(keep: KeepOpt = 1) -> None:
    """Delete provisional snapshots but the newest; official and cited ones always stay.

    Example: winay snapshots prune --keep 3
    """
    show.rows(({"deleted": id} for id in workspace().snapshots.prune(keep=keep)), "nothing to delete")


def _line(snapshot: Any) -> dict[str, Any]:
    days = {name: snapshot.manifest[name] for name in ("on", "known")}
    state = "official" if snapshot.official else "provisional"
    return {"snapshot": snapshot.id, **days, "state": state, "period": snapshot.official}
