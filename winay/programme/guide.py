"""The public text of a programme, written from the normal form that the engine counts with: one page a rule, in Markdown."""

from collections.abc import Collection, Iterator, Mapping

from winay.core.ages import Age
from winay.core.text import say
from winay.programme.criteria import Criterion
from winay.programme.indicators import Indicator
from winay.programme.legal import Legal, Reading
from winay.programme.load import Programme
from winay.programme.products import Product
from winay.programme.schedule import START, Clock, Delivery, GapClock, Limit, Release, Route, Schedule
from winay.programme.services import Matcher
from winay.programme.standards import END, Anchor
from winay.programme.words import age, basis, criterion, delivery_of, matcher, named, one_of

EPISODES = {
    "each": "Every episode counts.",
    "first": "Only the first episode counts.",
    "last": "Only the last episode counts.",
}
COUNTED = {
    "cross-section": "{whom} who, on the last day of the period, are {low} or older and have not reached {high}",
    "milestone": "{whom} who reach {low} within the period, judged on that day",
    "episode": "{whom} that end within the period, judged on that day",
}
WAYS = {
    "chain": "They count when some choice of records makes a chain: each in its window and at its distance.",
    "earliest": "For each delivery the earliest record that fits counts, later than the last one that counted.",
}
MONTH_ENDS = {
    "clip": "Months end on the same day of the month; where a month lacks it, on its last day.",
    "next": "Months end on the same day of the month; where a month lacks it, on the first day of the next.",
}


def pages(programme: Programme) -> dict[str, str]:
    """File name -> Markdown: an index, and a page for each indicator, standard and product."""
    made: dict[str, str] = {}
    about = say("Version {version}, content {hash}.", version=programme.head.version, hash=programme.hash)
    index = [f"# {programme.head.name}", about]
    parts: dict[str, Collection[str]] = {
        "Indicators": programme.indicators,
        "Standards": programme.standards,
        "Products": programme.products,
    }
    for title, items in parts.items():
        files = {f"{title.lower()}/{name.replace('/', '-')}.md": told(name, programme) for name in items}
        listed = [f"[{text.partition(chr(10))[0][2:]}]({file})" for file, text in files.items()]
        index += [f"## {say(title)}", _listed(listed)]
        made |= files
    return {"README.md": "\n\n".join(index) + "\n"} | made


def told(name: str, programme: Programme) -> str:
    """The page of an indicator, a standard or a product."""
    if name in programme.indicators:
        return indicator(programme.indicators[name], programme)
    return standard(name, programme) if name in programme.standards else product(programme.products[name], programme)


def _page(
    title: str, about: list[str], sections: Mapping[str, list[str]], legal: Legal | None, how: list[Reading]
) -> str:
    """Sections with nothing in them are left out; at the end what the rule stands on and how it was read."""
    parts = [f"# {title}", _listed(about)]
    for heading, written in sections.items():
        parts += [f"## {say(heading)}", *written] if written else []
    return "\n\n".join([*parts, f"## {say('Legal basis')}", basis(legal, how)]) + "\n"


def _listed(lines: Collection[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _about(said: Mapping[str, object]) -> list[str]:
    """Sentences (templates with `words`) of what is known."""
    return [say(template, words=words) for template, words in said.items() if words]


def standard(name: str, programme: Programme) -> str:
    """One standard: to whom, from when, what, in which windows, on what basis."""
    written, meant = programme.standards[name], programme.schedules[name]
    kind = programme.head.subjects[meant.subject]
    product = programme.products.get(written.product or "")
    said = {
        "Rules: {words}.": _rules(meant.rules, programme),
        "Owed to: {words}.": kind.plural or kind.name,
        "Ages count from: {words}.": _anchor(meant, programme),
        "Product: {words}.": product and named(product.name, product.product),
    }
    about = _about(said) + ([say(EPISODES[meant.episode])] if kind.episodes else [])
    proofs = [
        f"{named(programme.services[s].name, s)}: {matcher(programme.services[s], programme)}." for s in meant.services
    ]
    sections = {
        "Only for whom": _conditions(meant.who, programme),
        "Deliveries": [
            _counting(meant),
            *(text for n in range(len(meant.routes)) for text in _route(n, meant, programme)),
        ],
        "What proves it": [_listed(proofs)],
    }
    how = [*(written.reading or []), *(r for s in meant.services for r in _readings(programme.services[s], programme))]
    if isinstance(meant.anchor, Anchor) and meant.anchor.event:
        how += programme.events[meant.anchor.event].reading or []
    return _page(named(written.name, name), about, sections, written.legal, how)


def _readings(service: Matcher, programme: Programme) -> Iterator[Reading]:
    """How ambiguous texts were read for a service, and for those it is made of."""
    yield from service.reading or []
    for part in [*service.parts(), *([programme.services[service.is_]] if service.is_ else [])]:
        yield from _readings(part, programme)


def _route(number: int, meant: Schedule, programme: Programme) -> Iterator[str]:
    route = meant.routes[number]
    if len(meant.routes) > 1:
        yield f"### {say('Route {number}', number=number + 1)}"
        yield _whom(route, meant, programme)
    gaps = [d.gaps for d in route.deliveries]
    shared = gaps[0] if all(one == gaps[0] for one in gaps) else ()
    yield "\n".join(f"{d.number}. {delivery(d, meant, programme, shared)}" for d in route.deliveries)
    if shared:
        yield say("For each of them:")
        yield _listed([_gap(gap, meant, programme) for gap in shared])


def delivery(d: Delivery, meant: Schedule, programme: Programme, told_apart: Collection[GapClock] = ()) -> str:
    """A delivery in one sentence or two: window, gaps (but those told apart), when it is not owed."""
    told = [f"{_upper(programme.services[d.service].name or d.service)}: {_window(d.age, meant)}."]
    told += [_gap(gap, meant, programme) for gap in d.gaps if gap not in told_apart]
    return " ".join([*told, *(_release(release, meant) for release in d.releases)])


def _window(clock: Clock, meant: Schedule) -> str:
    high, opens = clock.by or clock.until, clock.from_ != START
    facts = {"start": _bare(clock.from_), "low": _age(clock.from_, meant), "high": _age(high, meant)}
    if high:
        told = say("between {start} and {high}" if opens else "up to {high}", **facts)
    else:
        told = say("from {low} on, without limit" if opens else "at any age", **facts)
    if clock.valid != clock.from_ and opens:
        told += say("; a record counts already from {valid}", valid=_age(clock.valid, meant))
    if clock.by and clock.until != clock.by:
        limit = "; it counts until {until}" if clock.until else "; it counts later too, without limit"
        told += say(limit, until=_age(clock.until, meant))
    if clock.due and clock.due != clock.from_:
        told += say("; whoever has it due is called at {due}", due=_age(clock.due, meant))
    return told


def _bare(limit: Limit) -> str:
    return age(limit) if isinstance(limit, Age) else say("the end of the episode") if limit == END else ""


def _age(limit: Limit, meant: Schedule) -> str:
    """An age with what it counts from: 55 days of age, 25 days after the reference date."""
    template = "{age} of age" if meant.anchor == "birth" else "{age} after the reference date"
    return say(template, age=age(limit)) if isinstance(limit, Age) else _bare(limit)


def _gap(gap: GapClock, meant: Schedule, programme: Programme) -> str:
    clock = gap.clock
    facts = {"since": _since(gap, programme), "least": age(clock.valid), "most": _bare(clock.until)}
    both = "Between {least} and {most} after {since}" if clock.valid != START else "At most {most} after {since}"
    told = say(both if clock.until else "At least {least} after {since}", **facts)
    if clock.from_ != clock.valid:
        told += say(", planned from {start}", start=age(clock.from_))
    if clock.by and clock.by != clock.until:
        told += say(", on time up to {by} after it", by=_bare(clock.by))
    if gap.ages:
        told += say(", for a record between {low} and {high}", low=_bare(gap.ages[0]), high=_age(gap.ages[1], meant))
    return told + "."


def _since(gap: GapClock, programme: Programme) -> str:
    if isinstance(gap.since, int):
        return say("delivery {number}", number=gap.since)
    if isinstance(gap.since, tuple):
        return delivery_of(*gap.since, programme)
    counted = gap.since == "counted"
    return say("the last one that counted") if counted else say("the last record of the service, counted or not")


def _release(release: Release, meant: Schedule) -> str:
    if release.age is not None:
        template = "Not owed to who is older than {age}." if release.after_age else "Not owed from {age} on."
        return say(template, age=_age(release.age, meant))
    if release.received is not None:
        facts = {"n": release.received, "since": _age(release.since, meant)}
        return say("Not owed once {n} were received since {since}.", **facts)
    return say('Not owed once "{name}" was begun.', name=release.started)


def _counting(meant: Schedule) -> str:
    """How records are chosen, and what the windows mean."""
    told = [say(WAYS[meant.match])]
    if meant.in_sequence:
        told.append(say("None counts after one that was not received."))
    told.append(say("All windows include both ends; one record a day."))
    limits = [limit for route in meant.routes for d in route.deliveries for limit in (d.age.from_, d.age.by)]
    if any(isinstance(limit, Age) and limit.months for limit in limits):
        told.append(say(MONTH_ENDS[meant.month_end]))
    return " ".join(told)


def _whom(route: Route, meant: Schedule, programme: Programme) -> str:
    told = []
    if route.first and route.first.service:
        told.append(say("For whoever's first record is also: {name}.", name=route.first.service))
    if route.first and route.first.age:
        low, high = _bare(route.first.age[0]), _age(route.first.age[1], meant)
        first = "For whoever had the first record between {low} and {high}, or has none and is of that age."
        told.append(say(first, low=low, high=high))
    return "\n".join([*told, *_conditions(route.who, programme)]) or say("For everybody else.")


def _anchor(meant: Schedule, programme: Programme) -> str:
    anchor, birth = meant.anchor, programme.head.subjects[meant.subject].birth or say("birth")
    if not isinstance(anchor, Anchor):
        return str(birth)
    if anchor.event:
        return named(programme.events[anchor.event].name, anchor.event)
    if anchor.delivery:
        name, _, number = anchor.delivery.rpartition("/")
        return delivery_of(name, number, programme)
    times = programme.attributes[anchor.times].name if anchor.times else "1"
    told = say("{age} × {times} before {birth}", age=age(anchor.back or START), times=times, birth=birth)
    if anchor.to_weekday:
        told += say(", on the {weekday} of that week or before", weekday=say(anchor.to_weekday))
    return told


def indicator(i: Indicator, programme: Programme) -> str:
    """One indicator: who is counted, who is taken out, what must hold, where and on what basis."""
    kind = programme.head.subjects[i.subject]
    low, high = i.age if isinstance(i.age, tuple) else (i.age, i.age)
    place = programme.attributes.get(i.place.removeprefix("provider:"))
    said = {
        "Rules: {words}.": _rules(i.rules, programme),
        "Counted: {words}.": say(
            COUNTED[i.kind], whom=_upper(kind.plural or kind.name), low=_bare(low), high=_bare(high)
        ),
        "Place: {words}.": place.name if place else say("where the subject lives on the judging day"),
    }
    about = [*_about(said), say("Higher is better.") if i.better == "higher" else say("Lower is better.")]
    if i.compliance:
        about.append(say("Complied with when met in {months} of {of} months.", **vars(i.compliance)))
    about += [str(words) for words in (i.proxy, i.publishes) if words]
    sections = {
        "Only for whom": _conditions(i.who, programme),
        "Taken out": _conditions(i.exclude, programme, excludes=True),
        "It is met when": [
            *_conditions(i.met, programme),
            say("Up to date: everything whose last day has passed was received, late or not."),
        ],
    }
    events = dict.fromkeys(_events(c, programme) for c in (i.who, i.exclude, i.met) if c)
    how = [*(i.reading or []), *(r for names in events for e in names for r in programme.events[e].reading or [])]
    return _page(named(i.name, i.key), about, sections, i.legal, how)


def _events(c: Criterion, programme: Programme) -> tuple[str, ...]:
    """The events that a condition asks about."""
    parts = [programme.packages[c.package]] if c.package else c.children
    return (*([c.event] if c.event else []), *(event for part in parts for event in _events(part, programme)))


def product(p: Product, programme: Programme) -> str:
    """One product: who answers for it, to whom it is owed, and the standards that say when."""
    said = {
        "Answers for it: {words}.": programme.head.entities[p.entity].name,
        "Levels that deliver: {words}.": one_of([str(programme.head.terms.get(x, x)) for x in p.levels], "and"),
        "Unit: {words}.": p.unit,
        "Owed to: {words}.": p.owed_to,
        "State: {words}.": say(p.state),
    }
    owed = [named(s.name, name) for name, s in programme.standards.items() if s.product == p.product]
    return _page(named(p.name, p.product), _about(said), {"Standards": [_listed(owed)] if owed else []}, p.legal, [])


def _conditions(condition: Criterion | None, programme: Programme, excludes: bool = False) -> list[str]:
    return ["\n".join(criterion(condition, programme, excludes))] if condition else []


def _rules(rules: str | None, programme: Programme) -> str:
    if rules is None:
        return say("none named")
    version = programme.head.rules[rules]
    facts = {"since": version.in_force.since, "until": version.in_force.until or say("further notice")}
    return f"{named(version.name, rules)}, " + say("in force from {since} until {until}", **facts)


def _upper(text: object) -> str:
    return str(text)[:1].upper() + str(text)[1:]
