"""Who is the same person: links review, join, split, undo."""

from typing import Annotated

import typer

from winay.cli import show
from winay.cli.command import DayOpt, arg, group, here, opt

A = Annotated[str, arg("a person: 13 characters, or KIND:VALUE of a document", "A")]
B = Annotated[str, arg("another", "B")]
Reason = Annotated[str, opt("why", "--reason", "TEXT")]
MostOpt = Annotated[int, opt("so many pairs at most (100)", "--most", "N")]
PlaceOpt = Annotated[str | None, opt("only who lives there", "--place", "CODE")]


def register(app: typer.Typer) -> None:
    group(app, links, {"review": review, "join": join, "split": split, "undo": undo})


def links() -> None:
    """Who is the same person: what looks alike is proposed, people decide, and a decision can be undone.

    Example: winay links review
    """


def review(place: PlaceOpt = None, on: DayOpt = None, most: MostOpt = 100) -> None:
    """Pairs of persons that look like one, the likeliest first. Nothing is joined by likeness alone.

    Example: winay links review --place 030101
    """
    from winay.actions.links import review

    ws, me, now = here()
    show.rows(review(ws, me, on or now, place, most), "nobody looks like somebody else")


def join(a: A, b: B, reason: Reason) -> None:
    """Two persons are one.

    Example: winay links join 4RX9QGX1P5DNA 20BWYQDJ547D3 --reason "same mother and day"
    """
    from winay.actions.links import decide

    show.facts(decide(*here()[:2], "join", a, b, reason))


def split(a: A, b: B, reason: Reason) -> None:
    """One person is two: what only B names goes with B.

    Example: winay links split 4RX9QGX1P5DNA 0YMJ00X3VR74Q --reason "twins"
    """
    from winay.actions.links import decide

    show.facts(decide(*here()[:2], "split", a, b, reason))


def undo(a: A, b: B) -> None:
    """Take back what was decided on two persons; the decision stays on record.

    Example: winay links undo 4RX9QGX1P5DNA 20BWYQDJ547D3
    """
    from winay.actions.links import undo

    show.facts(undo(*here()[:2], a, b))
