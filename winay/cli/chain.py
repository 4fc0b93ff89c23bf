"""Where the chain fails: the production line of a place, and the cascade of a package."""

from pathlib import Path
from typing import Annotated, Any

import typer

from winay.cli import show
from winay.cli.answers import PeriodNeeded, PeriodOpt, PlaceNeeded, PlaceOpt, SnapshotOpt
from winay.cli.command import arg, asked, here, opt, verb
from winay.core.text import say
from winay.publish.context import events

EntityOpt = Annotated[str | None, opt("only what this entity answers for", "--entity", "E")]
HtmlOpt = Annotated[Path | None, opt("draw it on one A3 page", "--html", "FILE")]
PackageArg = Annotated[str, arg("a package, as menor-12-fed2026", "PACKAGE")]
LINK = (
    "product",
    "name",
    "entity",
    "coverage",
    "trend",
    "missed",
    "since",
    "against",
    "bar",
    "reporting",
    "facilities",
)
RESULT = ("result", "name", "value", "target", "indicator", "level")


def register(app: typer.Typer) -> None:
    for command in (chain, cascade):
        verb(app)(command)


def chain(
    place: PlaceOpt = None, period: PeriodOpt = None, entity: EntityOpt = None, html: HtmlOpt = None,
    snapshot: SnapshotOpt = "latest",
) -> None:  # fmt: skip
    """The production line: which link fails, for how many, who answers for it and since when; the weakest first.

    since: the first of three or more months in a row below the published target, else below the country's figure; the
    country itself below its own median. What a silent facility did is not known: it is no failed service.

    JSON: programme, place, name, level, period, as_of, known_on, snapshot, state, weakest, context, links, results,
    entities, subjects; each link: product, name, entity, leads_to, indicator, subject, numerator, denominator, coverage,
    trend, missed, since, against, bar, reporting, facilities, why, context (what happened beside it, and changes nothing).

    Example: winay chain --place 01 --period 2026-10 --html cadena.html
    """
    from winay.actions.chain import chain
    from winay.publish.production_line import page

    ws, me, _ = here()
    told = chain(ws, me, place=place, period=period, entity=entity, snapshot=snapshot)
    if html:
        html.write_text(page(told), "utf-8")
        return show.facts({"file": html, "weakest": told["weakest"] and told["weakest"]["product"]})
    return show.answer(told) if asked.json else _told(told)


def _told(told: dict[str, Any]) -> None:
    """The weakest link in sentences, the links that have a coverage, why the others have none, the results."""
    from winay.publish.production_line import headline

    show.write("\n  ".join([f"{told['name']} ({told['place']}), {told['period']}", *headline(told)]))
    for part, code, why, names in (("links", "product", "why", LINK), ("results", "result", "open", RESULT)):
        show.write("")
        show.rows((one for one in told[part] if not one[why]), "no indicator computes it", names)
        for reason in dict.fromkeys(one[why] for one in told[part] if one[why]):
            which = [one[code] for one in told[part] if one[why] == reason]
            show.write(f"{say(reason)} ({len(which)}): {', '.join(which)}")
    for link in told["links"]:
        for line in events(link["context"]):
            show.write(f"{say('context')} {link['product']}: {line}")


def cascade(package: PackageArg, place: PlaceNeeded, period: PeriodNeeded, snapshot: SnapshotOpt = "latest") -> None:
    """Where a package loses whom: of a thousand, who got each component, who all so far, who lacks only that one.

    The repair of the component that most lack as their only one would complete most.

    JSON: indicator, name, place, period, snapshot, state, denominator, whole, components, repair; each component: name,
    got, so_far, only.

    Example: winay cascade menor-12-fed2026 --place 01 --period 2026-10
    """
    from winay.actions.chain import cascade

    ws, me, _ = here()
    found = cascade(ws, me, package, place, period, snapshot=snapshot)
    if asked.json:
        return show.answer(found)
    for told in found:
        of = max(told["denominator"], 1) / 1000
        show.write(f"{told['indicator']}. {told['name']}\n{place}, {period}: {told['denominator']}")
        parts = [*told["components"], {"name": say("whole"), "got": told["whole"], "so_far": told["whole"]}]
        show.write(say("Of every 1,000 of its cohort:"))
        show.rows({name: n if name == "name" else round(n / of) for name, n in part.items()} for part in parts)
        if told["repair"]:
            only = next(one["only"] for one in told["components"] if one["name"] == told["repair"])
            show.write(say("Repairing {name} would complete most: {n} lack nothing else", name=told["repair"], n=only))
    return None
