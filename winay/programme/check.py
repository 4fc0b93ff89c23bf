"""What the models cannot see one by one: undefined names, rules without a basis, circles, what no link leads to."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from winay.core.problems import At, Problem, unknown_name
from winay.programme.criteria import Criterion
from winay.programme.yaml_text import Written, inside, names_of

if TYPE_CHECKING:
    from winay.programme.load import Programme

Use = tuple[At | None, str, str]
"""Where a name is used, what it is a name of, the name."""


def check(programme: "Programme") -> list[Problem]:
    """All problems of a programme that has parsed."""
    things = {part.removesuffix("s"): items for part, items in programme.parts.items()}
    uses = {thing: {name: list(_uses(item)) for name, item in items.items()} for thing, items in things.items()}
    known = _known(programme, things)
    problems: list[Problem] = []
    for thing, items in things.items():
        for name, item in items.items():
            problems += _undefined(item, uses[thing][name], programme, known)
        problems += _circles(thing, items, uses[thing])
    problems += _undefined(programme.head, _uses(programme.head), programme, known)
    for name, standard in programme.standards.items():
        if standard.legal is None:
            hint = "write its `legal`: norm or sheet and `confidence`, or `confidence: proposed`"
            found = 'the standard "{name}" has no legal basis'
            problems.append(Problem(standard.at, found, hint=hint, facts={"name": name}))
    return [*problems, *_unled(programme)]


def defined(at: At | None, thing: str, name: str | None, known: Collection[str]) -> Iterator[Problem]:
    if name is not None and name not in known:
        yield unknown_name(at, thing, name, known)


def criteria_of(programme: "Programme") -> Iterator[Criterion]:
    """Every criterion written anywhere, parts included."""
    return (part for part in inside(programme.parts) if isinstance(part, Criterion))


def _known(programme: "Programme", things: Mapping[str, Mapping[str, Written]]) -> dict[str, Collection[str]]:
    """What names can name -> the names that are defined; things: `service` -> the services…"""
    of = {"attribute of the place": "place", "attribute of the facility": "provider"}
    measures = [i.indicator for i in programme.indicators.values()] + [s.sheet for s in programme.sheets.values()]
    return {
        **things,
        "service": programme.services,
        "service or measure": programme.recognised,
        "kind of subject": programme.head.subjects,
        "rule version": programme.head.rules,
        "entity": programme.head.entities,
        "level": programme.head.levels,
        "sheet or indicator": set(measures),
        "sheet, indicator or indicator@rules": {*measures, *programme.indicators},
        "attribute to group by": programme.attributes,
        **{thing: [n for n, a in programme.attributes.items() if a.of == owner] for thing, owner in of.items()},
    }


def _uses(item: Written) -> Iterator[Use]:
    """Every name that is used anywhere inside an item."""
    place = item.at
    for part in inside(item):
        place = part.at or place
        for thing, name in names_of(part):
            yield place, thing, name


def _undefined(
    item: Written, uses: Iterable[Use], programme: "Programme", known: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """Names that an item uses and that nothing defines."""
    for place, thing, name in uses:
        if thing == "delivery":
            yield from delivery(programme, place, name)
        elif thing == "since":
            yield from delivery(programme, place, name) if "/" in name else ()
        elif thing == "attribute":
            yield from _attribute(programme, place, name)
        elif thing == "place rule":
            yield from _attribute(programme, place, name.removeprefix("provider:")) if name != "residence" else ()
        elif thing == "column":
            yield from defined(place, thing, name, getattr(item, "by_name", ()))  # of the source it is written in
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


def _circles(thing: str, items: Mapping[str, Written], uses: Mapping[str, Iterable[Use]]) -> Iterator[Problem]:
    """Items that, by what they need of their own kind, come back to themselves."""
    ways = (thing, "delivery", "since") if thing == "standard" else (thing,)
    needs = {name: {to.partition("/")[0] for _, way, to in used if way in ways} for name, used in uses.items()}
    while True:
        try:
            return TopologicalSorter(needs).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]
            facts = {"circle": " -> ".join(circle)}
            yield Problem(items[circle[0]].at, "a circle: {circle}", hint="let one of them need no other", facts=facts)
            needs = {name: needed for name, needed in needs.items() if name not in circle}


def _unled(programme: "Programme") -> Iterator[Problem]:
    """Results that nothing leads to, and, where there is a chain, indicators that none of it uses."""
    delivered = {link.to for product in programme.products.values() for link in product.leads_to}
    led = delivered | {link.to for result in programme.results.values() for link in result.leads_to}
    for name, result in programme.results.items():
        if name not in (delivered if result.level == "immediate" else led):
            found = 'nothing leads to the result "{name}"'
            hint = "write it in `leads_to`; to an immediate result leads a product"
            yield Problem(result.at, found, hint=hint, facts={"name": name})
    used = {code for result in programme.results.values() for code in result.indicators}
    used |= {sheet.indicator for sheet in programme.sheets.values() if sheet.indicator}
    for key, indicator in programme.indicators.items() if programme.results else ():
        if not indicator.product and used.isdisjoint({key, indicator.indicator}):
            found = 'nothing uses the indicator "{name}"'
            hint = "name its `product`, or name it in a result or a sheet"
            yield Problem(indicator.at, found, hint=hint, facts={"name": key})
