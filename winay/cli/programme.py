"""What is promised: programme check, show, guide, schema; and try, for whoever writes a standard."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from winay.cli import show
from winay.cli.command import Command, DayOpt, KnownOpt, arg, asked, day, group, here, opt, today, verb
from winay.core.problems import WinayError, unknown_name
from winay.core.text import say

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
FIGURES = (
    "indicator",
    "group",
    "name",
    "before",
    "after",
    "difference",
    "changed",
    "wins",
    "loses",
    "enters",
    "leaves",
)
PathArg = Annotated[str, arg("a programme: its folder or its name", "PATH")]
NameArg = Annotated[str | None, arg("a standard, indicator, product, result or sheet", "NAME")]
OpenOpt = Annotated[
    bool, opt("list what nobody published: proposals, links without evidence, data nobody gave", "--open")
]
OutOpt = Annotated[Path | None, opt("write a file a rule into this folder", "--out", "DIR")]
FolderArg = Annotated[Path, arg("a new folder", "DIR")]
SiteOpt = Annotated[bool, opt("as web pages with a search, for any browser, no server needed", "--site")]
KindArg = Annotated[str | None, arg("standards, indicators, services…", "KIND")]
StandardArg = Annotated[Path, arg("one standard, or a list of which the first is reported", "STANDARD.yaml")]
SubjectsOpt = Annotated[Path, opt("subject, anchor, and attributes", "--subjects", "S.csv")]
RecordsOpt = Annotated[Path, opt("subject, date, and optionally code", "--records", "R.csv")]
OldArg = Annotated[str, arg("the programme before: its folder or its name", "A")]
NewArg = Annotated[str, arg("the programme after", "B")]
ChangeArg = Annotated[Path, arg("what would be otherwise: set, add, remove", "CHANGE.yaml")]
ByOpt = Annotated[
    str | None, opt("a level or an attribute (the lowest level, and the quintile)", "--by", "LEVEL|ATTRIBUTE")
]
OnNeeded = Annotated[date, opt("the day to judge on", "--on", "DAY", parser=day)]


def register(app: typer.Typer) -> None:
    commands: dict[str, Command] = {"new": begun, "check": check, "show": shown, "guide": guide, "diff": diff}
    group(app, programme, commands | {"schema": schema})
    verb(app, "try")(tried)
    verb(app, "what-if")(what_if)


def programme() -> None:
    """What is promised: check a programme folder, look into it, write its public text.

    Example: winay programme check pe-dit
    """


def begun(folder: FolderArg) -> None:
    """Write a small programme to begin with: it passes the check, its comments teach, and it has a file to load.

    Example: winay programme new mi-programa
    """
    from winay.programme.new import EXAMPLE, new

    made = new(folder)
    steps = {"workspace": f"winay init data --programme {folder}"}
    steps |= {"load": f"winay load {next(iter(made.sources))} {folder / EXAMPLE} -w data"}
    show.facts({"programme": made.name, "folder": folder} | steps)


def check(path: PathArg = DEFAULT, open: OpenOpt = False, on: DayOpt = None) -> None:
    """Every problem of a programme folder at once, each at its line. Without any: what looks like a slip, rules that have
    ended, and which standards are evaluated day by day.

    Example: winay programme check pe-dit --on 2027-01-01
    """
    from winay.engine import plan
    from winay.programme.locate import programme
    from winay.programme.remarks import remarks
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
    told = [remark.told() for remark in remarks(found, on or today())]
    facts = {"programme": found.name, "hash": found.hash} | counts | {"day_by_day": daily}
    show.facts(facts | {"remarks": told if asked.json else len(told)})
    return show.note("\n".join(told))


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


def guide(path: PathArg = DEFAULT, out: OutOpt = None, html: SiteOpt = False) -> None:
    """The public text of a programme, written from what is counted, so that a jurist can check it.

    Example: winay programme guide pe-dit --out guia --site
    """
    from winay.programme.guide import pages, site
    from winay.programme.locate import programme

    made = site(programme(path)) if html else pages(programme(path))
    if out is None:
        return show.answer(made) if asked.json else show.write("\n\n".join(made.values()))
    for name, text in made.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, "utf-8")
    return show.facts({"folder": out, "pages": sorted(made) if asked.json else len(made)})


def diff(before: OldArg, after: NewArg, on: DayOpt = None, known_on: KnownOpt = None, by: ByOpt = None) -> None:
    """What changed between two programmes, in words; with -w also for how many, and with which change of each figure.

    JSON: changes (part, name, title, change, what, before, after); with -w also on, known_on, period, figures as of
    `what-if`.

    Example: winay programme diff pe-dit pe-dit-2027
    """
    from winay.programme.diff import diff
    from winay.programme.locate import programme

    two = programme(before), programme(after)
    if not asked.workspace:
        return _compared({"changes": diff(*two), "figures": []})
    from winay.actions.what_if import compared

    ws, me, now = here()
    with show.progress("subjects judged") as advance:
        return _compared(compared(ws, me, *two, on or known_on or now, known_on or now, by, advance))


def what_if(change: ChangeArg, on: DayOpt = None, known_on: KnownOpt = None, by: ByOpt = None) -> None:
    """A change of policy tried on what is loaded, at any past date: who wins and who loses, by place and by quintile.

    JSON: change, on, known_on, period, changes (as of `programme diff`), figures (indicator, by, group, name,
    numerator_before, denominator_before, before, numerator_after, denominator_after, after, difference, changed, wins,
    loses, enters, leaves).

    Example: winay what-if change.yaml --on 2025-10-31
    """
    from winay.actions.what_if import what_if

    ws, me, now = here()
    with show.progress("subjects judged") as advance:
        _compared(what_if(ws, me, change, on or known_on or now, known_on or now, by, advance))


def _compared(found: dict[str, Any]) -> None:
    """The changes one below the other, then the figures they reach in columns."""
    from winay.programme.diff import label

    if asked.json:
        return show.answer(found)
    if "change" in found:
        show.write(found["change"] + "\n")
    for row in found["changes"]:
        what = [say(row["change"]), *([label(row["what"])] if row["what"] else [])]
        show.write(f"{say(row['part'].removesuffix('s'))} {row['title']} (`{row['name']}`), {': '.join(what)}")
        for sign, text in (("-", row["before"]), ("+", row["after"])):
            for line in filter(None, text.split("\n")):
                show.write(f"  {sign} {line}")
    if not found["changes"]:
        return show.note(say("nothing changed"))
    if "period" in found:
        show.write("\n" + say("{period}, as known on {known}:", period=found["period"], known=found["known_on"]))
        told = [row for row in found["figures"] if row["before"] is not None or row["after"] is not None]
        show.rows(told, "no figure is reached", FIGURES)
    return None


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
