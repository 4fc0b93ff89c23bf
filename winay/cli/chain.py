"""Where the chain fails: the production line of a place, and the cascade of a package."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from winay.cli import show
from winay.cli.answers import PeriodNeeded, PeriodOpt, PlaceNeeded, PlaceOpt, SnapshotOpt
from winay.cli.command import arg, asked, here, opt, verb
from winay.core.text import say

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
RESULT = ("level", "result", "name", "value", "indicator", "open")


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

    JSON: programme, place, name, level, period, as_of, known_on, snapshot, state, weakest, links, results, entities,
    subjects; each link: product, name, entity, leads_to, indicator, subject, numerator, denominator, coverage, trend,
    missed, since, against, bar, reporting, facilities, why.

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


def _told(told: Mapping[str, Any]) -> None:
    """The weakest link in a sentence, the links that have a coverage, why the others have none, the results."""
    show.write(f"{told['name']} ({told['place']}), {told['period']}")
    weak = told["weakest"]
    if weak:
        facts = {"name": weak["name"], "missed": weak["missed"], "owed": weak["denominator"]}
        facts |= {"whom": told["subjects"][weak["subject"]], "share": f"{100 * weak['coverage']:.0f} %"}
        show.write(say("The weakest link: {name}", name=weak["name"]))
        show.write("  " + say("{missed} of {owed} {whom} did not get it ({share} did).", **facts))
        show.write("  " + say("Who answers for it: {entity}.", entity=told["entities"][weak["entity"]]))
        if weak["since"]:
            show.write("  " + say("Below in every month since {since}.", since=weak["since"]))
    else:
        show.write(say("No link has a coverage yet"))
    show.write("")
    show.rows((link for link in told["links"] if not link["why"]), "no indicator computes it", LINK)
    show.write("")
    for why, count in Counter(link["why"] for link in told["links"] if link["why"]).most_common():
        which = ", ".join(link["product"] for link in told["links"] if link["why"] == why)
        show.write(f"{say(why)} ({count}): {which}")
    show.write("")
    show.rows(told["results"], names=RESULT)


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
        heads = ("component", "got", "so_far", "only")
        parts = [{"component": one["name"]} | {n: round(one[n] / of) for n in heads[1:]} for one in told["components"]]
        show.write(say("Of every 1,000 of its cohort:"))
        show.rows(parts)
        show.write(say("The whole package: {n} of every 1,000", n=round(told["whole"] / of)))
        if told["repair"]:
            only = next(one["only"] for one in told["components"] if one["name"] == told["repair"])
            facts = {"name": told["repair"], "n": only}
            show.write(say("Repairing {name} would complete most: {n} lack nothing else", **facts))
    return None
