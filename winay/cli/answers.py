"""Commands that answer: evaluate, figures, the list behind a figure, what is due, one story, the proof."""

from typing import Annotated, Any

import typer

from winay.cli import show
from winay.cli.command import DayOpt, KnownOpt, arg, opt, today, verb, workspace
from winay.core.problems import wrong_use
from winay.core.text import say

RulesOpt = Annotated[str | None, opt("the rule version (that in force)", "--rules", metavar="V")]
PlaceOpt = Annotated[str | None, opt("a place of any level, by its code", "--place", metavar="U")]
SnapshotOpt = Annotated[str, opt("the snapshot (latest)", "--snapshot", metavar="ID")]
PeriodOpt = Annotated[str | None, opt("the month, as 2026-05", "--period", metavar="P")]
FORMATS = ("table", "csv", "json", "parquet")
SHOWN = ("rules", "period", "place", "name", "numerator", "denominator", "value", "excluded", "history", "reporting",
         "facilities", "state")  # fmt: skip


def register(app: typer.Typer) -> None:
    for command in (evaluate, figures, subjects, due, child, explain):
        verb(app)(command)


def evaluate(on: DayOpt = None, known_on: KnownOpt = None) -> None:
    """Judge everybody by every rule, for 24 months, and keep the answer as a snapshot.

    Example: winay evaluate --on 2026-10-31
    """
    from winay.actions.evaluate import evaluate as evaluated
    from winay.actions.gate import operator
    from winay.engine.kernel import compiled

    ws = workspace()
    known = known_on or today(ws)
    if not compiled():
        show.note(say("compiling the engine once; the next time it is ready"))
    with show.progress("subjects judged") as advance:
        snapshot = evaluated(ws, operator(ws), on or known, known, advance=advance)
    manifest = snapshot.manifest
    show.facts(
        {"snapshot": snapshot.id} | {k: manifest[k] for k in ("on", "known", "subjects", "records", "programme")}
    )


def figures(
    indicator: Annotated[str, arg("an indicator, as MC-02.01 or MC-02.01@FED2026", "INDICATOR")],
    rules: RulesOpt = None,
    by: Annotated[str | None, opt("a level of places, or an attribute", "--by", metavar="LEVEL|ATTRIBUTE")] = None,
    period: PeriodOpt = None,
    place: PlaceOpt = None,
    snapshot: SnapshotOpt = "latest",
    known_on: KnownOpt = None,
    on: DayOpt = None,
    format: Annotated[str, opt("table, csv, json or parquet", "--format", metavar="FORMAT")] = "table",
) -> None:
    """The figures of an indicator, each with its numerator, denominator, and what it rests on.

    Example: winay figures MC-02.01 --by province --period 2026-10
    """
    from winay.actions.figures import figures as found
    from winay.actions.gate import operator

    if format not in FORMATS:
        raise wrong_use("{format} is no format", "expected one of: {known}", format=format, known=", ".join(FORMATS))
    ws = workspace()
    table = found(
        ws,
        operator(ws),
        indicator,
        rules=rules,
        by=by,
        period=period,
        place=place,
        snapshot=snapshot,
        known_on=known_on,
        on=on,
    )
    names = [*SHOWN[:4], *([by] if by and by in table.column_names else []), *SHOWN[4:]]
    if format in ("csv", "parquet"):
        _written(table, format)
    elif format == "json":
        show.answer(table.to_pylist())
    else:
        show.rows(table.to_pylist(), empty="no figures: nobody is in the cohort", names=names)


def _written(table: Any, format: str) -> None:
    """A table as a file on stdout."""
    import sys

    import pyarrow.csv
    import pyarrow.parquet

    write = pyarrow.csv.write_csv if format == "csv" else pyarrow.parquet.write_table
    write(table, sys.stdout.buffer)


def subjects(
    indicator: Annotated[str, arg("an indicator, as MC-02.01 or MC-02.01@FED2026", "INDICATOR")],
    period: Annotated[str, opt("the month, as 2026-05", "--period", metavar="P")],
    rules: RulesOpt = None,
    place: PlaceOpt = None,
    verdict: Annotated[str | None, opt("met, missing or excluded (all three)", "--verdict", metavar="VERDICT")] = None,
    identities: Annotated[
        bool, opt("with documents, from the vault; the look is written down", "--identities")
    ] = False,
    snapshot: SnapshotOpt = "latest",
    known_on: KnownOpt = None,
) -> None:
    """The list behind a figure: one line a subject, each component with its status.

    Example: winay subjects MC-02.01 --period 2026-10 --verdict missing
    """
    from winay.actions.figures import subjects as found
    from winay.actions.gate import operator

    ws = workspace()
    show.rows(
        found(
            ws, operator(ws), indicator, period, rules=rules, place=place, verdict=verdict, identities=identities,
            snapshot=snapshot, known_on=known_on,
        ),
        empty="nobody",
    )  # fmt: skip


def due(
    place: Annotated[str, opt("a place of any level, by its code", "--place", metavar="U")],
    on: DayOpt = None,
    rules: RulesOpt = None,
    known_on: KnownOpt = None,
    identities: Annotated[bool, opt("with names, from the vault; the look is written down", "--identities")] = False,
) -> None:
    """Who is owed what on a day, worst first, by village and household.

    Example: winay due --place 030101 --on 2026-10-31
    """
    from winay.actions.gate import operator
    from winay.actions.stories import due as found

    ws = workspace()
    day = on or today(ws)
    show.rows(
        found(ws, operator(ws), place, day, known_on or today(ws), rules=rules, identities=identities), empty="nobody"
    )


def child(
    id: Annotated[str, arg("a pseudonym, or a document as kind:value", "ID")],
    on: DayOpt = None,
    known_on: KnownOpt = None,
) -> None:
    """One subject's story: every standard as a timeline, every indicator's verdict.

    Example: winay child dni:00140138 --on 2026-10-31
    """
    from winay.actions.gate import operator
    from winay.actions.stories import story
    from winay.cli.told import tell_story

    ws = workspace()
    tell_story(story(ws, operator(ws), id, on or today(ws), known_on or today(ws)))


def explain(
    id: Annotated[str, arg("a subject as for `child`, or a figure as MC-02.01@FED2026/030101/2026-05", "ID|FIGURE")],
    indicator: Annotated[str | None, opt("only this indicator", "--indicator", metavar="INDICATOR")] = None,
    on: DayOpt = None,
    known_on: KnownOpt = None,
    raw: Annotated[bool, opt("the delivered lines, names and all; the look is written down", "--raw")] = False,
) -> None:
    """The proof: claim, because, record with file and line, rule and article; also why something does not count.

    Example: winay explain MC-02.01@FED2026/030101/2026-10
    """
    from winay.actions.explain import explain as proof
    from winay.actions.gate import operator
    from winay.cli.told import tell_proof

    ws = workspace()
    tell_proof(proof(ws, operator(ws), id, indicator, on or today(ws), known_on or today(ws), raw=raw))
