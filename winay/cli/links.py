"""Who is the same person: links review, join, split, undo."""

from typing import Annotated

import typer

from winay.cli import show
from winay.cli.command import DayOpt, arg, group, opt, today, workspace

A = Annotated[str, arg("a person: 13 characters, or KIND:VALUE of a document", "A")]
B = Annotated[str, arg("another", "B")]
Reason = Annotated[str, opt("why", "--reason", "TEXT")]


def register(app: typer.Typer) -> None:
    group(app, links, {"review": review, "join": join, "split": split, "undo": undo})


def links() -> None:
    """Who is the same person: what looks alike is proposed, people decide, and a decision can be undone.

    Example: winay links review
    """


def review(
    place: Annotated[str | None, opt("only who lives there", "--place", "CODE")] = None, on: DayOpt = None
) -> None:
    """Pairs of persons that look like one, the likeliest first. Nothing is joined by likeness alone.

    Example: winay links review --place 030101
    """
    from winay.actions.gate import operator
    from winay.actions.links import review

    ws = workspace()
    show.rows(review(ws, operator(ws), on or today(ws), place), empty="nobody looks like somebody else")


def join(a: A, b: B, reason: Reason) -> None:
    """Two persons are one.

    Example: winay links join dni:00140132 cnv:1002040132 --reason "same mother and day"
    """
    _decide("join", a, b, reason)


def split(a: A, b: B, reason: Reason) -> None:
    """One person is two: what only B names goes with B.

    Example: winay links split dni:00140132 cnv:1002040140 --reason "twins"
    """
    _decide("split", a, b, reason)


def undo(a: A, b: B) -> None:
    """Take back what was decided on two persons; the decision stays on record.

    Example: winay links undo dni:00140132 cnv:1002040132
    """
    from winay.actions.gate import operator
    from winay.actions.links import undo

    ws = workspace()
    show.facts(undo(ws, operator(ws), a, b))


def _decide(kind: str, a: str, b: str, reason: str) -> None:
    from winay.actions.gate import operator
    from winay.actions.links import decide

    ws = workspace()
    show.facts(decide(ws, operator(ws), kind, a, b, reason))
