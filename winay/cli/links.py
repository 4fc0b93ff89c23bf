"""Who is the same person: links review, join, split, undo."""

from typing import Annotated

import typer

from winay.actions import links as verbs
from winay.actions.gate import operator
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
    ws = workspace()
    show.rows(verbs.review(ws, operator(ws), on or today(ws), place), empty="nobody looks like somebody else")


def join(a: A, b: B, reason: Reason) -> None:
    """Two persons are one.

    Example: winay links join dni:00140132 cnv:1002040132 --reason "same mother and day"
    """
    ws = workspace()
    show.facts(verbs.decide(ws, operator(ws), "join", a, b, reason))


def split(a: A, b: B, reason: Reason) -> None:
    """One person is two: what only B names goes with B.

    Example: winay links split dni:00140132 cnv:1002040140 --reason "twins"
    """
    ws = workspace()
    show.facts(verbs.decide(ws, operator(ws), "split", a, b, reason))


def undo(a: A, b: B) -> None:
    """Take back what was decided on two persons; the decision stays on record.

    Example: winay links undo dni:00140132 cnv:1002040132
    """
    ws = workspace()
    show.facts(verbs.undo(ws, operator(ws), a, b))
