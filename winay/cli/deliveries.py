"""What sources deliver: load, refused."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from winay.actions import deliver
from winay.actions.gate import operator
from winay.cli import show
from winay.cli.command import KnownOpt, arg, asked, group, opt, today, verb, workspace
from winay.core.problems import wrong_use
from winay.core.text import say

if TYPE_CHECKING:
    from winay.records.load import Report

COUNTS = ["file", "status", "records", "accepted", "refused", "duplicate", "created", "updated", "withdrawn", "waiting"]
SourceArg = Annotated[str, arg("the source, as in winay sources", "SOURCE")]
FileArg = Annotated[Path, arg("a CSV file", "FILE")]


def register(app: typer.Typer) -> None:
    verb(app)(load)
    group(app, refused, {"list": listed, "export": export, "retry": retry})


def load(
    source: SourceArg,
    files: Annotated[list[Path], arg("delivered files: csv, gz, zip, xlsx", "FILE")],
    known_on: KnownOpt = None,
    known_by: Annotated[
        str | None, opt("history: known from the day each record was keyed in", "--known-by", "keyed")
    ] = None,
    dry_run: Annotated[bool, opt("say what would happen and change nothing", "--dry-run")] = False,
    replaces: Annotated[
        str | None, opt("this is now everything of that month or place", "--replaces", "2026-10|PLACE")
    ] = None,
    yes: Annotated[bool, opt("do not ask about a file of unusual size", "--yes")] = False,
) -> int:
    """Load delivered files of a source: check, code, link and append them. The same file again changes nothing.

    A bad record is refused with its line and never stops the good ones: see winay refused list.

    Example: winay load padron padron.csv --known-on 2026-05-05
    """
    if known_by not in (None, "keyed"):
        raise wrong_use("--known-by is followed by: keyed")
    ws = workspace()
    ask = (lambda question: True) if yes else _ask if sys.stdin.isatty() and not asked.json else None
    how = {"known_by_keyed": known_by == "keyed", "dry_run": dry_run, "replaces": replaces, "confirm": ask}
    with show.progress("reading") as advance:
        report = deliver.load(ws, source, files, known_on or today(ws), progress=_progress(advance), **how)
    return _told(report)


def refused() -> None:
    """What was refused: list it, take it out to correct it, load it again.

    Example: winay refused list
    """


def listed(
    source: Annotated[str | None, opt("only of this source", "--source", "SOURCE")] = None,
    number: Annotated[int | None, opt("only of this load", "--load", "NUMBER")] = None,
    identities: Annotated[bool, opt("with what was found; the look is written down", "--identities")] = False,
) -> None:
    """Every record that was refused and not corrected yet: file, line, column, what was expected.

    Example: winay refused list --source his
    """
    ws = workspace()
    show.rows(deliver.refused(ws, operator(ws), source, number, identities), empty="nothing is refused")


def export(source: SourceArg, file: FileArg) -> None:
    """Write the refused records of a source into a file, with their reasons, to be corrected there. It has names.

    Example: winay refused export his corregir.csv
    """
    ws = workspace()
    show.facts({"records": deliver.export(ws, operator(ws), source, file), "file": file})


def retry(source: SourceArg, file: FileArg, known_on: KnownOpt = None) -> int:
    """Load a corrected export: what is accepted now leaves the refused records.

    Example: winay refused retry his corregir.csv
    """
    ws = workspace()
    with show.progress("reading") as advance:
        report = deliver.retry(ws, source, file, known_on or today(ws), _progress(advance))
    return _told(report)


def _told(report: "Report") -> int:
    """Shows what became of a delivery; returns the exit status."""
    if asked.json:
        show.answer(vars(report) | {"rejected": [problem.told() for problem in report.rejected]})
    else:
        show.rows([vars(file) for file in report.files], empty="nothing was loaded", names=COUNTS)
    for file in report.files:
        reasons = [say("refused: {n} × {reason}", n=n, reason=say(reason)) for reason, n in file.reasons.items()]
        for line in [*file.notes, *reasons]:
            show.note(f"{file.file}: {line}")
    for problem in report.rejected:
        print(problem.told(), file=sys.stderr)
    return 1 if report.rejected else 3 if report.total("refused") else 0


def _progress(advance: show.Advance) -> Callable[[str, int], None]:
    """`advance` wants what is new; a file tells how many records of it are done."""
    done: dict[str, int] = {}

    def told(file: str, records: int) -> None:
        advance(records - done.get(file, 0))
        done[file] = records

    return told


def _ask(question: str) -> bool:
    return typer.confirm(say("{question}. Load it?", question=question), err=True)
