"""What the models cannot see one by one: names that nothing defines, rules without a basis, circles."""

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from winay.core.problems import At, Problem, unknown_name
from winay.programme.criteria import Criterion
from winay.programme.yaml_text import Written, inside, names_of

if TYPE_CHECKING:
    from winay.programme.load import Programme


def check(programme: "Programme") -> list[Problem]:
    """All problems of a programme that has parsed."""
    things = {part.removesuffix("s"): items for part, items in programme.parts.items()}
    problems = [p for items in things.values() for item in items.values() for p in _undefined(item, programme, things)]
    for name, standard in programme.standards.items():
        if standard.legal is None:
            hint = "write its `legal`: norm or sheet and `confidence`, or `confidence: proposed`"
            found = 'the standard "{name}" has no legal basis'
            problems.append(Problem(standard.at, found, hint=hint, facts={"name": name}))
    return problems + [problem for thing, items in things.items() for problem in _circles(thing, items)]


def defined(at: At | None, thing: str, name: str | None, known: Collection[str]) -> Iterator[Problem]:
    if name is not None and name not in known:
        yield unknown_name(at, thing, name, known)


def criteria_of(programme: "Programme") -> Iterator[Criterion]:
    """Every criterion written anywhere, parts included."""
    return (part for part in inside(programme.parts) if isinstance(part, Criterion))


def _undefined(item: Written, programme: "Programme", things: Mapping[str, Mapping[str, Written]]) -> Iterator[Problem]:
    """Names that an item uses, wherever inside it, and that nothing defines; things: `service` -> the services…"""
    known: dict[str, Collection[str]] = {
        **things,
        "kind of subject": programme.head.subjects,
        "rule version": programme.head.rules,
        "entity": programme.head.entities,
        "column": getattr(item, "by_name", ()),  # of the source it is written in
    }
    place = item.at
    for part in inside(item):
        place = part.at or place
        for thing, name in names_of(part):
            if (thing == "since" and "/" not in name) or (thing, name) == ("place rule", "residence"):
                continue  # names nothing of the programme
            if thing in ("delivery", "since"):
                yield from delivery(programme, place, name)
            elif thing in ("attribute", "place rule"):
                yield from _attribute(programme, place, name.removeprefix("provider:"))
            else:
                yield from defined(place, thing, name, known[thing])


def delivery(programme: "Programme", at: At | None, path: str) -> Iterator[Problem]:
    """`standard/k`, or the standard alone."""
    name, _, number = path.partition("/")
    yield from defined(at, "standard", name, programme.standards)
    if number and name in programme.standards:
        last = max(len(route.deliveries) for route in programme.schedules[name].routes)
        if not number.isdigit() or not 1 <= int(number) <= last:
            facts = {"name": name, "number": number, "last": last}
            yield Problem(at, '"{name}" has no delivery {number}', "deliveries 1 to {last}", facts=facts)


def _attribute(programme: "Programme", at: At | None, path: str) -> Iterator[Problem]:
    """`document`, `place.altitude`, or `birth_facility.ambito`: an attribute of the provider the subject names."""
    first, _, rest = path.partition(".")
    of = {
        kind: [n for n, a in programme.attributes.items() if a.of == kind] for kind in ("subject", "place", "provider")
    }
    if not rest:
        yield from defined(at, "attribute", first, of["subject"])
    elif first == "place":
        yield from defined(at, "attribute", rest, of["place"])
    else:
        named = [n for n, a in programme.attributes.items() if a.type == "provider"]
        yield from defined(at, "attribute", first, named)
        yield from defined(at, "attribute", rest, of["provider"])


def _circles(thing: str, items: Mapping[str, Written]) -> Iterator[Problem]:
    """Items that, by what they need of their own kind, come back to themselves."""
    ways = (thing, "delivery", "since") if thing == "standard" else (thing,)
    needs = {
        name: {to.partition("/")[0] for part in inside(item) for way, to in names_of(part) if way in ways}
        for name, item in items.items()
    }
    while True:
        try:
            return TopologicalSorter(needs).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]
            yield Problem(items[circle[0]].at, "a circle: {circle}", facts={"circle": " -> ".join(circle)})
            needs = {name: needed for name, needed in needs.items() if name not in circle}
