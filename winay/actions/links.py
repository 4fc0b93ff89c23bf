"""Who is the same person: what looks alike, and what people decide of it."""

from datetime import UTC, date, datetime
from typing import Any

from winay.actions import gate
from winay.actions.gate import Caller
from winay.core.problems import wrong_use
from winay.workspace import Workspace


def review(ws: Workspace, caller: Caller, on: date, place: str | None = None, most: int = 100) -> list[dict[str, Any]]:
    """The likeliest pairs of persons that look like one: a, b, probability, and what of each is alike."""
    import pyarrow.compute as pc

    from winay.records.link import proposals
    from winay.workspace.vault import show

    with gate.tables(ws, caller, "links review", places=[place] if place else [], identities=True) as people:
        known = people.known(on)
        members = known.members
        if place:
            here = known.residences.filter(pc.field("place") == place)["subject"].combine_chunks()
            members = members.filter(pc.is_in(members["subject"], here))
        named = known.subjects["person"].to_pylist()
        identities = people.identities(members["person"].to_pylist())
        facts: dict[int, dict[str, str]] = {}
        for member in members.to_pylist():
            facts.setdefault(named[member["subject"]], {}).update(identities.get(member["person"], {}))
        apart = [{d.a, d.b} for d in people.decided if d.kind == "split" and d.holds(on)]
        likely = proposals(facts.items(), most=most + len(apart))
        found = [pair for pair in likely if {pair.a, pair.b} not in apart][:most]
        people.shown(2 * len(found))
    return [{"a": show(p.a), "b": show(p.b), "probability": round(p.probability, 3), "alike": p.alike} for p in found]


def decide(ws: Workspace, caller: Caller, kind: str, a: str, b: str, reason: str) -> dict[str, str]:
    """Somebody decides that two persons are one (`join`) or two (`split`). Raises for a pair that has a decision."""
    pair, held = _held(ws, a, b)
    if before := held.first():
        facts = {"kind": before.kind, "by": before.by, "day": before.at.date()}
        raise wrong_use("{by} decided on {day}: {kind}", hint="undo it first: winay links undo", **facts)
    held.create(kind=kind, a=pair[0], b=pair[1], reason=reason, by=caller.name, at=datetime.now(UTC))
    return {"decision": kind, "a": a, "b": b, "by": caller.name, "reason": reason}


def undo(ws: Workspace, caller: Caller, a: str, b: str) -> dict[str, str]:
    """Take back the decision on two persons; it stays on record."""
    held = _held(ws, a, b)[1]
    kinds = [decision.kind for decision in held]
    if not held.update(undone_at=datetime.now(UTC), undone_by=caller.name):
        raise wrong_use("nobody decided on {a} and {b}", a=a, b=b)
    return {"undone": kinds[0], "a": a, "b": b, "by": caller.name}


def _held(ws: Workspace, a: str, b: str) -> tuple[list[int], Any]:
    """The two persons, and the decision on them that holds (a query)."""
    from winay.decisions import database
    from winay.decisions.models import LinkDecision

    pair = [gate.person(ws, a), gate.person(ws, b)]
    if pair[0] == pair[1]:
        raise wrong_use("both are the same person: {a}", a=a)
    return pair, LinkDecision.objects.using(database(ws)).filter(a__in=pair, b__in=pair, undone_at=None)
