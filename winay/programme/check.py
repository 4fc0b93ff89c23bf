"""What the models cannot see one by one: names that nothing defines, services nobody recognises, circles."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from winay.core.problems import At, Problem, unknown_name
from winay.programme.criteria import Criterion
from winay.programme.services import Matcher
from winay.programme.standards import Anchor, Standard

if TYPE_CHECKING:
    from winay.programme.load import Programme


def check(programme: "Programme") -> list[Problem]:
    """All problems of a programme that has parsed."""
    return [
        *_services(programme),
        *_standards(programme),
        *_events(programme),
        *_criteria(programme),
        *_products(programme),
    ]


def defined(at: At | None, thing: str, name: str | None, known: Collection[str]) -> Iterator[Problem]:
    if name is not None and name not in known:
        yield unknown_name(at, thing, name, known)


def _services(programme: "Programme") -> Iterator[Problem]:
    def walk(matcher: Matcher) -> Iterator[Matcher]:
        yield matcher
        for part in matcher.parts():
            yield from walk(part)

    uses: dict[str, set[str]] = {}
    for name, service in programme.services.items():
        uses[name] = {m.is_ for m in walk(service) if m.is_}
        for matcher in walk(service):
            yield from defined(matcher.at, "service", matcher.is_, programme.services)
    yield from _circles(uses, {name: s.at for name, s in programme.services.items()})


def _standards(programme: "Programme") -> Iterator[Problem]:
    needs: dict[str, set[str]] = {}
    for name, standard in programme.standards.items():
        at = standard.at
        yield from defined(at, "kind of subject", standard.subject, programme.head.subjects)
        yield from defined(at, "rule version", standard.rules, programme.head.rules)
        yield from defined(at, "product", standard.product, programme.products)
        if standard.legal is None:
            hint = "write legal: { sheet: …, confidence: official }, or confidence: proposed"
            yield Problem(at, 'the standard "{name}" has no legal basis', hint=hint, facts={"name": name})
        for service in programme.schedules[name].services:
            yield from defined(at, "service", service, programme.services)
        needs[name] = set(refers_to(standard))
        for other in needs[name]:
            yield from defined(at, "standard", other, programme.standards)
        if isinstance(standard.anchor, Anchor):
            yield from defined(standard.anchor.at, "event", standard.anchor.event, programme.events)
            yield from defined(standard.anchor.at, "attribute", standard.anchor.times, programme.attributes)
    yield from _circles(needs, {name: s.at for name, s in programme.standards.items()})


def refers_to(standard: Standard) -> Iterator[str]:
    """The other standards that must be evaluated before this one."""
    if isinstance(standard.anchor, Anchor) and standard.anchor.delivery:
        yield standard.anchor.delivery.rsplit("/", 1)[0]
    lines = standard.lines
    for gap in [gap for line in lines for gap in line.gaps or []] + (standard.gaps or []):
        if "/" in gap.since:
            yield gap.since.rsplit("/", 1)[0]
    yield from (when.started for line in lines for when in line.not_owed_when if when.started)


def _events(programme: "Programme") -> Iterator[Problem]:
    for event in programme.events.values():
        yield from defined(event.at, "service", event.service, programme.services)
        yield from defined(event.at, "event", event.since, programme.events)
        yield from defined(event.at, "kind of subject", event.subject, programme.head.subjects)
    needs = {name: {e.since} if e.since else set() for name, e in programme.events.items()}
    yield from _circles(needs, {name: e.at for name, e in programme.events.items()})


def criteria_of(programme: "Programme") -> Iterator[Criterion]:
    """Every criterion written anywhere, parts included."""
    roots: list[Criterion | None] = [*programme.packages.values()]
    for indicator in programme.indicators.values():
        roots += [indicator.who, indicator.exclude, indicator.met]
    for standard in programme.standards.values():
        roots += [standard.who, *(variant.who for variant in standard.variants)]
    waiting = [root for root in roots if root]
    while waiting:
        criterion = waiting.pop()
        yield criterion
        waiting += criterion.children


def _criteria(programme: "Programme") -> Iterator[Problem]:
    for criterion in criteria_of(programme):
        at = criterion.at
        yield from defined(at, "package", criterion.package, programme.packages)
        yield from defined(at, "event", criterion.event, programme.events)
        yield from defined(at, "standard", criterion.up_to_date, programme.standards)
        for path in (criterion.received, criterion.on_time):
            if path:
                yield from delivery(programme, at, path)
        if criterion.attribute:
            yield from _attribute(programme, at, criterion.attribute)
    needs = {n: {c.package for c in _walk(p) if c.package} for n, p in programme.packages.items()}
    yield from _circles(needs, {name: p.at for name, p in programme.packages.items()})
    for indicator in programme.indicators.values():
        yield from defined(indicator.at, "rule version", indicator.rules, programme.head.rules)
        yield from defined(indicator.at, "kind of subject", indicator.subject, programme.head.subjects)
        yield from defined(indicator.at, "product", indicator.product, programme.products)
        if indicator.place != "residence":
            yield from _attribute(programme, indicator.at, indicator.place.removeprefix("provider:"))


def _walk(criterion: Criterion) -> Iterator[Criterion]:
    yield criterion
    for child in criterion.children:
        yield from _walk(child)


def delivery(programme: "Programme", at: At | None, path: str) -> Iterator[Problem]:
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
    of = {name: a.of for name, a in programme.attributes.items()}
    if not rest:
        yield from defined(at, "attribute", first, [n for n, kind in of.items() if kind == "subject"])
    elif first == "place":
        yield from defined(at, "attribute", rest, [n for n, kind in of.items() if kind == "place"])
    else:
        named = [n for n, a in programme.attributes.items() if a.type == "provider"]
        yield from defined(at, "attribute", first, named)
        yield from defined(at, "attribute", rest, [n for n, kind in of.items() if kind == "provider"])


def _products(programme: "Programme") -> Iterator[Problem]:
    for product in programme.products.values():
        yield from defined(product.at, "entity", product.entity, programme.head.entities)
    for service in programme.services.values():
        yield from defined(service.at, "product", service.product, programme.products)


def _circles(needs: dict[str, set[str]], places: dict[str, At | None]) -> Iterator[Problem]:
    """Names that, by what they need, come back to themselves."""
    state: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> Iterator[Problem]:
        if state.get(name) == 2 or name not in needs:
            return
        if name in path:
            circle = " -> ".join([*path[path.index(name) :], name])
            yield Problem(places.get(name), "a circle: {circle}", facts={"circle": circle})
            return
        for other in sorted(needs[name]):
            yield from visit(other, (*path, name))
        state[name] = 2

    for name in needs:
        yield from visit(name, ())
