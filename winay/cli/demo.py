"""The demo: the whole job on invented people, then a short guided tour."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from winay.cli import show
from winay.cli.command import DayOpt, asked, opt, today, verb
from winay.cli.told import tell_proof
from winay.core.text import say

LINES = 8


def register(app: typer.Typer) -> None:
    verb(app)(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where it is made", show_default=False)] = Path("demo"),
    on: DayOpt = None,
    programme: Annotated[str, opt("the programme (pe-dit)", "--programme", metavar="NAME")] = "pe-dit",
    seed: Annotated[int, opt("another seed, other people (7)", "--seed", metavar="N")] = 7,
    region: Annotated[list[str] | None, opt("only this place; may be repeated", "--region", metavar="U")] = None,
    planted: Annotated[bool, opt("list what was planted, and where to look", "--planted")] = False,
) -> None:
    """Invent two regions' ministry files, load them, judge everybody, and look around.

    Example: winay demo --planted
    """
    import csv

    from winay.actions import demo as job

    if planted and job.planted(folder).exists():
        return show.rows(csv.DictReader(job.planted(folder).read_text("utf-8").splitlines()))
    day = on or today()
    show.note(say("Wiñay: a programme for early childhood, from ministry files to a verdict that can be proved."))
    show.note(say("Everything here is invented but the places; the regions are examples."))
    ws, counts = job.make(folder, programme, day, seed, region or [], _step)
    seen = job.tour(ws, day)
    return show.answer(seen) if asked.json else _tour(folder, seen, counts, day)


@contextmanager
def _step(doing: str, total: float | None) -> Iterator[show.Advance]:
    show.note(say("… {doing}", doing=say(doing)))
    with show.progress(doing, total) as advance:
        yield advance


def _tour(folder: Path, seen: dict[str, Any], counts: Mapping[str, int], on: date) -> None:
    where = folder / "workspace"
    show.write(
        "\n"
        + say("{records} records delivered: {accepted} accepted, {refused} refused, {duplicate} seen before.", **counts)
    )
    title = say("1. Where does the chain fail? {name}, {month}", name=seen["name"], month=seen["month"])
    show.write(f"\n{title}")
    names = ("name", "numerator", "denominator", "value", "excluded", "history")
    show.rows(seen["regions"], names=names)
    of = seen["counts"]["missing"]
    for name, count in sorted(seen["missing"].items(), key=lambda item: -item[1])[:5]:
        show.write(
            "  " + say("{name}: missing in {count} of {of} children who lack something", name=name, count=count, of=of)
        )
    worst = seen["worst"]
    facts = {"name": worst["name"], "place": worst["place"], "on": on, "n": len(seen["due"])}
    show.write("\n" + say("2. Who is owed what? {name} ({place}), {on}, the first of {n}", **facts))
    shown = ("settlement", "subject", "birth", "product", "delivery", "status", "by", "days", "rules")
    show.rows(seen["due"][:LINES], names=shown)
    show.write("\n" + say("3. Why? One child of that district, down to file and line"))
    tell_proof(seen["proof"], only="missing")
    show.write(
        "\n" + say("4. How close is the invention? Its districts, and the published ones (middle district, in %)")
    )
    show.rows(
        seen["closeness"], names=("name", "issuer", "districts", "invented", "published", "distance", "correlation")
    )
    show.write("\n" + say("Go on with:"))
    child = seen["proof"]["subject"]
    for command in (
        f"winay -w {where} figures {worst['indicator']} --rules {worst['rules']} --by {seen['level']} --period {seen['month']}",
        f"winay -w {where} chain --place {seen['regions'][0]['place']} --html chain.html",
        f"winay -w {where} due --place {worst['place']}",
        f"winay -w {where} child {child}",
        f"winay -w {where} explain {worst['address']}",
        f"winay -w {where} refused list",
        f"winay demo {folder} --planted",
    ):
        show.write(f"  {command}")
