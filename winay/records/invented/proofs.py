"""A service's matcher read backwards: an item of a contact that proves it."""

from collections.abc import Sequence
from dataclasses import dataclass

from winay.programme.load import Programme
from winay.programme.services import Matcher


@dataclass(frozen=True)
class Proof:
    """Any of the codes with any of the types and, where listed, of the LAB values.

    lab_not: LAB values it must not have; beside: what must also be in the contact.
    """

    codes: tuple[str, ...]
    types: tuple[str, ...]
    labs: tuple[str, ...]
    lab_not: tuple[str, ...]
    beside: tuple["Proof", ...]


def proof(programme: Programme, service: str) -> Proof:
    """The first way in which its matcher lets a service be proved."""
    return _way(programme, programme.services[service])


def _way(programme: Programme, matcher: Matcher) -> Proof:
    named = [programme.services[matcher.is_]] if matcher.is_ else []
    parts = [_way(programme, part) for part in (*named, *(matcher.all_ or []), *(matcher.any_ or [])[:1])]
    lab_not = (*(matcher.lab_not or []), *(lab for part in parts for lab in part.lab_not))
    beside = [_way(programme, other) for other in matcher.with_ or []]
    labs = _common(matcher.lab, *(part.labs for part in parts))
    return Proof(
        _common(matcher.code, *(part.codes for part in parts)),
        _common(matcher.type or programme.head.counted_types, *(part.types for part in parts)),
        tuple(lab for lab in labs if lab not in lab_not),
        lab_not,
        (*beside, *(other for part in parts for other in part.beside)),
    )


def _common(*lists: Sequence[str] | None) -> tuple[str, ...]:
    """What all of the lists have that say anything."""
    said = [one for one in lists if one]
    return tuple(x for x in said[0] if all(x in other for other in said)) if said else ()
