"""What is promised: programme check, show, guide, schema; and try, for whoever writes a standard."""

from pathlib import Path
from typing import Annotated, Any

import typer

from winay.actions import programme as verbs
from winay.cli import show
from winay.cli.command import arg, asked, day, group, opt, verb
from winay.core.problems import WinayError, unknown_name
from winay.core.text import say

DEFAULT = "pe-dit"
PathArg = Annotated[str, arg("a programme: its folder or its name", "PATH")]


def register(app: typer.Typer) -> None:
    group(app, programme, {"check": check, "show": shown, "guide": guide, "schema": schema})
    verb(app, "try")(tried)


def programme() -> None:
    """What is promised: check a programme folder, look into it, write its public text.

    Example: winay programme check pe-dit
    """


def check(path: PathArg = DEFAULT) -> None:
    """Every problem of a programme folder at once, each at its line; and which standards are evaluated day by day.

    Example: winay programme check pe-dit
    """
    show.facts(verbs.checked(path))


def shown(
    path: PathArg = DEFAULT, name: Annotated[str | None, arg("a standard, indicator or product", "NAME")] = None
) -> None:
    """What a programme holds: its products, rules, standards, packages, indicators, sources; or one of them as it is meant.

    Example: winay programme show pe-dit MC-02.01@FED2026
    """
    if name is None:
        return show.rows(verbs.contents(path))
    part = verbs.one(path, name)
    return show.answer(part) if asked.json else show.write(f"{part['at']}\n\n{part['words']}")


def guide(
    path: PathArg = DEFAULT,
    out: Annotated[Path | None, opt("write a file a rule into this folder", "--out", "DIR")] = None,
) -> None:
    """The public text of a programme, written from what is counted, so that a jurist can check it.

    Example: winay programme guide pe-dit --out guia
    """
    pages = verbs.guide(path, out)
    if asked.json:
        show.answer(pages if out is None else {"folder": out, "pages": sorted(pages)})
    elif out is None:
        show.write("\n\n".join(pages.values()))
    else:
        show.write(say("{n} pages in {folder}", n=len(pages), folder=out))


def schema(kind: Annotated[str | None, arg("standards, indicators, services…", "KIND")] = None) -> None:
    """The JSON Schema of each kind of file, for editors.

    Example: winay programme schema standards
    """
    from winay.programme.schema import schemas

    known = schemas()
    if kind is not None and kind not in known:
        raise WinayError(unknown_name(None, "kind of file", kind, known), status=2)
    show.answer(known[kind] if kind else known)


def tried(
    standard: Annotated[Path, arg("one standard, or a list of which the first is reported", "STANDARD.yaml")],
    subjects: Annotated[Path, opt("subject, anchor, and attributes", "--subjects", "S.csv")],
    records: Annotated[Path, opt("subject, date, and optionally code", "--records", "R.csv")],
    on: Annotated[Any, typer.Option("--on", parser=day, metavar="DAY", help="the day to judge on")],
) -> None:
    """Try a standard on a few rows: what each subject is owed, what was received, and by when the rest.

    Example: winay try penta.yaml --subjects S.csv --records R.csv --on 2026-05-31
    """
    from winay.actions.try_standard import try_standard

    show.rows(try_standard(standard, subjects, records, on, DEFAULT))
