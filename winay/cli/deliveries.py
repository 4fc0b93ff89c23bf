"""From nothing to a loaded workspace that is known to be well: init, sources, doctor, load, refused."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from winay.cli import show
from winay.cli.command import DayOpt, KnownOpt, arg, asked, group, here, opt, verb, workspace
from winay.core.problems import WinayError, unknown_name, wrong_use
from winay.core.text import say

if TYPE_CHECKING:
    from winay.programme.load import Programme
    from winay.records.load import Report
    from winay.workspace import Workspace

COUNTS = ["file", "status", "records", "accepted", "refused", "duplicate", "created", "updated", "withdrawn", "waiting"]
FolderArg = Annotated[Path, arg("a new folder", "DIR")]
ProgrammeOpt = Annotated[str, opt("its programme: a name, or a folder", "--programme", "NAME")]
KeyOpt = Annotated[Path | None, opt("where its key is, or is to be made", "--key", "FILE")]
FixOpt = Annotated[bool, opt("do what is safe: remove what killed runs left behind", "--fix")]
FullOpt = Annotated[bool, opt("read every file again, however long it takes", "--full")]
SourceArg = Annotated[str, arg("the source, as in winay sources", "SOURCE")]
SourceOpt = Annotated[str | None, opt("only of this source", "--source", "SOURCE")]
FilesArg = Annotated[list[Path], arg("delivered files: csv, gz, zip, xlsx", "FILE")]
FileArg = Annotated[Path, arg("a CSV file", "FILE")]
KeyedOpt = Annotated[str | None, opt("history: known from the day each record was keyed in", "--known-by", "keyed")]
DryOpt = Annotated[bool, opt("say what would happen and change nothing", "--dry-run")]
ReplacesOpt = Annotated[str | None, opt("this is now everything of that month or place", "--replaces", "2026-10|PLACE")]
YesOpt = Annotated[bool, opt("do not ask about a file of unusual size", "--yes")]
LoadOpt = Annotated[int | None, opt("only of this load", "--load", "NUMBER")]
NamesOpt = Annotated[bool, opt("with what was found; the look is written down", "--identities")]


def register(app: typer.Typer) -> None:
    for command in (init, sources, doctor, load):
        verb(app)(command)
    group(app, refused, {"list": listed, "export": export, "retry": retry})


def init(folder: FolderArg, programme: ProgrammeOpt = "pe-dit", key: KeyOpt = None) -> None:
    """Make a workspace: what is delivered, computed and decided, and who people are, in one folder; its key outside it.

    Example: winay init data
    """
    from winay.actions.opening import made

    ws = made(folder, programme, key)
    show.facts({"workspace": ws.path, "programme": ws.programme, "key": ws.key_file})
    show.note(say("Keep a copy of the key in a safe place: without it nobody can say who the people are."))


def sources(on: DayOpt = None) -> None:
    """The declared sources: who owes each and by which day, what came and what is late. With --json also their columns.

    Example: winay sources
    """
    from winay.actions.opening import sources

    ws, _, now = here()
    names = ["source", "name", "owed_by", "every", "by_day", "loads", "records", "last", "late"]
    show.rows(sources(ws, on or now), names=names)


def doctor(fix: FixOpt = False, full: FullOpt = False) -> int:
    """Is everything all right? Disk, key, programme, ledger, lake, vault, snapshots, looks: what is wrong, and what to do.

    Example: winay doctor
    """
    from winay.actions.doctor import doctor

    checks = list(doctor(workspace(), fix, full))
    show.rows(checks)
    return int(any(check["state"] == "bad" for check in checks))


def load(
    source: SourceArg, files: FilesArg, known_on: KnownOpt = None, known_by: KeyedOpt = None, dry_run: DryOpt = False,
    replaces: ReplacesOpt = None, yes: YesOpt = False,
) -> int:  # fmt: skip
    """Load delivered files of a source: check, code, link and append them. The same file again changes nothing.

    A bad record is refused with its line and never stops the good ones: see winay refused list.

    Example: winay load padron padron.csv --known-on 2026-05-05
    """
    from winay.records.load import load

    if known_by not in (None, "keyed"):
        raise wrong_use("--known-by is followed by: keyed")
    ws, _, now = here()
    ask = (lambda question: True) if yes else _ask if sys.stdin.isatty() and not asked.json else None
    how: dict[str, Any] = {"known_by_keyed": known_by == "keyed", "dry_run": dry_run, "replaces": replaces}
    with show.progress("reading") as advance:
        report = load(
            ws, _promised(ws), source, files, known_on or now, confirm=ask, progress=_progress(advance), **how
        )
    return _told(report)


def refused() -> None:
    """What was refused: list it, take it out to correct it, load it again.

    Example: winay refused list
    """


def listed(source: SourceOpt = None, number: LoadOpt = None, identities: NamesOpt = False) -> None:
    """Every record that was refused and not corrected yet: file, line, column, what was expected.

    Example: winay refused list --source his
    """
    from winay.actions import gate
    from winay.records.cells import REASONS
    from winay.records.refused import SHOWN, listed

    ws, me, _ = here()
    _promised(ws, source)
    with gate.tables(ws, me, "refused list", what=source or "", identities=identities) as people:
        found = list(listed(ws, source, number, identities))
        people.shown(len(found) if identities else 0)
    names = [name for name in SHOWN if identities or name != "found"]
    rows = ({"load": x.load, "why": say(REASONS[x.reason])} | {name: getattr(x, name) for name in names} for x in found)
    show.rows(rows, "nothing is refused")


def export(source: SourceArg, file: FileArg) -> None:
    """Write the refused records of a source into a file, with their reasons, to be corrected there. It has names.

    Example: winay refused export his corregir.csv
    """
    from winay.actions import gate
    from winay.records.refused import export

    ws, me, _ = here()
    with gate.tables(ws, me, "refused export", what=source, identities=True) as people:
        count = export(ws, _promised(ws, source), source, file)
        people.shown(count)
    show.facts({"records": count, "file": file})


def retry(source: SourceArg, file: FileArg, known_on: KnownOpt = None) -> int:
    """Load a corrected export: what is accepted now leaves the refused records.

    Example: winay refused retry his corregir.csv
    """
    from winay.records.refused import retry

    ws, _, now = here()
    with show.progress("reading") as advance:
        return _told(retry(ws, _promised(ws, source), source, file, known_on or now, _progress(advance)))


def _promised(ws: "Workspace", source: str | None = None) -> "Programme":
    """The programme, once it is sure that it has the source."""
    from winay.actions.opening import promised

    programme = promised(ws)
    if source and source not in programme.sources:
        raise WinayError(unknown_name(None, "source", source, programme.sources), status=2)
    return programme


def _told(report: "Report") -> int:
    """Shows what became of a delivery; returns the exit status."""
    if asked.json:
        show.answer(vars(report) | {"rejected": [problem.told() for problem in report.rejected]})
    else:
        show.rows([vars(file) for file in report.files], "nothing was loaded", COUNTS)
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
