"""What is promised: programme check, show, guide, schema; and try, for whoever writes a standard."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from winay.cli import show
from winay.cli.command import arg, asked, day, group, opt, verb
from winay.core.problems import WinayError, unknown_name

if TYPE_CHECKING:
    from winay.programme.yaml_text import Written

DEFAULT = "pe-dit"
TOLD = {
    "products": ("entity", "together_with", "levels", "programme", "subject", "state", "confidential", "leads_to"),
    "results": ("level", "indicators", "leads_to"),
    "sheets": ("year", "programme", "scope", "product", "result", "kind", "state", "indicator"),
    "indicators": ("rules", "kind", "subject", "product"),
    "standards": ("rules", "subject", "product"),
}
"""Part of a programme -> what a script is told of each of its items, beside code and name."""
PathArg = Annotated[str, arg("a programme: its folder or its name", "PATH")]
NameArg = Annotated[str | None, arg("a standard, indicator, product, result or sheet", "NAME")]
OpenOpt = Annotated[
    bool, opt("list what nobody published: proposals, links without evidence, data nobody gave", "--open")
]
OutOpt = Annotated[Path | None, opt("write a file a rule into this folder", "--out", "DIR")]
KindArg = Annotated[str | None, arg("standards, indicators, services…", "KIND")]
StandardArg = Annotated[Path, arg("one standard, or a list of which the first is reported", "STANDARD.yaml")]
SubjectsOpt = Annotated[Path, opt("subject, anchor, and attributes", "--subjects", "S.csv")]
RecordsOpt = Annotated[Path, opt("subject, date, and optionally code", "--records", "R.csv")]
OnNeeded = Annotated[date, opt("the day to judge on", "--on", "DAY", parser=day)]


def register(app: typer.Typer) -> None:
    group(app, programme, {"check": check, "show": shown, "guide": guide, "schema": schema})
    verb(app, "try")(tried)


def programme() -> None:
    """What is promised: check a programme folder, look into it, write its public text.

    Example: winay programme check pe-dit
    """


def check(path: PathArg = DEFAULT, open: OpenOpt = False) -> None:
    """Every problem of a programme folder at once, each at its line; and which standards are evaluated day by day.

    Example: winay programme check pe-dit --open
    """
    from winay.engine import plan
    from winay.programme.locate import programme
    from winay.programme.unsettled import unsettled
    from winay.records.tables import check

    found = programme(path)
    if problems := check(found):
        raise WinayError(problems)
    if open:
        return show.rows(unsettled(found))
    events = [plan.event_schedule(name, event, found.head.month_end) for name, event in found.events.items()]
    tracks = plan.compile([*events, *found.schedules.values()], found.service_numbers, 0, 0).tracks
    counts = {part: len(items) for part, items in found.parts.items()}
    daily = sorted({track.name for track in tracks if not track.stable})
    return show.facts({"programme": found.name, "hash": found.hash} | counts | {"day_by_day": daily})


def shown(path: PathArg = DEFAULT, name: NameArg = None) -> None:
    """What a programme holds: results, products, sheets, rules, standards, indicators…; or one of them as it is meant.

    Example: winay programme show pe-dit MC-02.01@FED2026
    """
    from winay.programme.guide import PAGES, told
    from winay.programme.locate import programme

    found = programme(path)
    parts = {"rules": found.head.rules, **found.parts}
    if name is None and asked.json:
        lists = {part: [_item(part, key, item) for key, item in items.items()] for part, items in parts.items()}
        return show.answer({"programme": found.name, "hash": found.hash} | lists)
    if name is None:
        items = [(kind, key, item) for kind, items in parts.items() for key, item in items.items()]
        of = ("kind", "key", "name", "rules")
        rows = [(kind, key, str(getattr(x, "name", "") or ""), getattr(x, "rules", None)) for kind, key, x in items]
        return show.rows(dict(zip(of, row, strict=True)) for row in rows)
    known = {key: item for part in PAGES.values() for key, item in found.parts[part].items()}
    if name not in known:
        raise WinayError(unknown_name(None, "part of the programme", name, known), status=2)
    at, words = str(known[name].at), told(name, found)
    meant = {"meant": asdict(found.schedules[name])} if name in found.schedules else {}
    return show.answer({"at": at, "words": words} | meant) if asked.json else show.write(f"{at}\n\n{words}")


def _item(part: str, key: str, item: "Written") -> dict[str, Any]:
    """code (without its year or rules), name, and what TOLD says of the part."""
    code = getattr(item, part.removesuffix("s"), key)
    told = item.model_dump(mode="json", include=set(TOLD.get(part, ())))
    return {"code": code, "name": str(getattr(item, "name", "") or "")} | {
        name: told[name] for name in TOLD.get(part, ())
    }


def guide(path: PathArg = DEFAULT, out: OutOpt = None) -> None:
    """The public text of a programme, written from what is counted, so that a jurist can check it.

    Example: winay programme guide pe-dit --out guia
    """
    from winay.programme.guide import pages
    from winay.programme.locate import programme

    made = pages(programme(path))
    if out is None:
        return show.answer(made) if asked.json else show.write("\n\n".join(made.values()))
    for name, text in made.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, "utf-8")
    return show.facts({"folder": out, "pages": sorted(made) if asked.json else len(made)})


def schema(kind: KindArg = None) -> None:
    """The JSON Schema of each kind of file, for editors.

    Example: winay programme schema standards
    """
    from winay.programme.load import schemas

    known = schemas()
    if kind is not None and kind not in known:
        raise WinayError(unknown_name(None, "kind of file", kind, known), status=2)
    show.answer(known[kind] if kind else known)


def tried(standard: StandardArg, subjects: SubjectsOpt, records: RecordsOpt, on: OnNeeded) -> None:
    """Try a standard on a few rows: what each subject is owed, what was received, and by when the rest.

    Example: winay try penta.yaml --subjects S.csv --records R.csv --on 2026-05-31
    """
    from winay.actions.try_standard import try_standard

    show.rows(try_standard(standard, subjects, records, on, DEFAULT))
