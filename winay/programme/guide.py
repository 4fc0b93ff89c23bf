"""The public text of a programme, written from the normal form that the engine counts with: one page a rule, in Markdown."""

from collections.abc import Collection

from winay.core.ages import Age
from winay.core.text import say
from winay.programme.criteria import Criterion
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.programme.products import Product
from winay.programme.schedule import START, Clock, Delivery, GapClock, Limit, Release, Route, Schedule
from winay.programme.standards import END, Anchor
from winay.programme.words import age, basis, criterion, matcher, named, one_of


def pages(programme: Programme) -> dict[str, str]:
    """File name -> Markdown: an index, and a page for each indicator, standard and product."""
    parts: dict[str, Collection[str]] = {
        "Indicators": programme.indicators,
        "Standards": programme.standards,
        "Products": programme.products,
    }
    made: dict[str, str] = {}
    head = programme.head
    index = [f"# {head.name}", say("Version {version}, content {hash}.", version=head.version, hash=programme.hash)]
    for title, items in parts.items():
        files = {f"{title.lower()}/{name.replace('/', '-')}.md": told(name, programme) for name in items}
        index += [
            f"## {say(title)}",
            "\n".join(f"- [{text.split(chr(10))[0][2:]}]({file})" for file, text in files.items()),
        ]
        made |= files
    return {"README.md": _page(index)} | made


def told(name: str, programme: Programme) -> str:
    """The page of an indicator, a standard or a product."""
    if name in programme.indicators:
        return indicator(programme.indicators[name], programme)
    return standard(name, programme) if name in programme.standards else product(programme.products[name], programme)


def standard(name: str, programme: Programme) -> str:
    """One standard: to whom, from when, what, in which windows, on what basis."""
    written, meant = programme.standards[name], programme.schedules[name]
    kind = programme.head.subjects[meant.subject]
    episodes = {
        "each": "Every episode counts.",
        "first": "Only the first episode counts.",
        "last": "Only the last episode counts.",
    }
    about = [
        say("Rules: {rules}.", rules=_rules(meant.rules, programme)),
        say("Owed to: {whom}.", whom=kind.plural or kind.name),
        say("Ages count from: {anchor}.", anchor=_anchor(meant, programme)),
    ]
    if written.product:
        about.append(
            say("Product: {product}.", product=named(programme.products[written.product].name, written.product))
        )
    if kind.episodes:
        about.append(say(episodes[meant.episode]))
    parts = [f"# {named(written.name, name)}", _listed(about), *_conditions("Only for whom", meant.who, programme)]
    parts += [f"## {say('Deliveries')}", _counting(meant)]
    for number, route in enumerate(meant.routes, start=1):
        if len(meant.routes) > 1:
            parts += [f"### {say('Route {number}', number=number)}", _whom(route, meant, programme)]
        shared = route.deliveries[0].gaps if all(d.gaps == route.deliveries[0].gaps for d in route.deliveries) else ()
        parts.append("\n".join(f"{d.number}. {delivery(d, meant, programme, shared)}" for d in route.deliveries))
        parts += [say("For each of them:"), _listed([_gap(gap, meant, programme) for gap in shared])] if shared else []
    parts += [f"## {say('What proves it')}", _listed([_proof(service, programme) for service in meant.services])]
    taken = [reading for service in meant.services for reading in programme.services[service].reading or []]
    return _page([*parts, f"## {say('Legal basis')}", basis(written.legal, [*(written.reading or []), *taken])])


def delivery(d: Delivery, meant: Schedule, programme: Programme, told_apart: Collection[GapClock] = ()) -> str:
    """A delivery in one sentence or two: window, gaps (but those told apart), when it is not owed."""
    told = [f"{_upper(str(programme.services[d.service].name or d.service))}: {_window(d.age, meant)}."]
    told += [_gap(gap, meant, programme) for gap in d.gaps if gap not in told_apart]
    return " ".join([*told, *(_release(release, meant) for release in d.releases)])


def _window(clock: Clock, meant: Schedule) -> str:
    high = clock.by or clock.until
    facts = {"start": _bare(clock.from_), "low": _age(clock.from_, meant), "high": _age(high, meant)}
    if high:
        told = say("between {start} and {high}" if clock.from_ != START else "up to {high}", **facts)
    else:
        told = say("from {low} on, without limit" if clock.from_ != START else "at any age", **facts)
    if clock.valid != clock.from_ and clock.from_ != START:
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
        name, number = gap.since
        return say("delivery {number} of {name}", number=number, name=named(programme.standards[name].name, name))
    counted = gap.since == "counted"
    return say("the last one that counted") if counted else say("the last record of the service, counted or not")


def _release(release: Release, meant: Schedule) -> str:
    if release.age is not None:
        template = "Not owed to who is older than {age}." if release.after_age else "Not owed from {age} on."
        return say(template, age=_age(release.age, meant))
    if release.received is not None:
        return say(
            "Not owed once {n} were received since {since}.", n=release.received, since=_age(release.since, meant)
        )
    return say('Not owed once "{name}" was begun.', name=release.started)


def _counting(meant: Schedule) -> str:
    """How records are chosen, and what the windows mean."""
    ways = {
        "chain": "They count when some choice of records makes a chain: each in its window and at its distance.",
        "earliest": "For each delivery the earliest record that fits counts, later than the last one that counted.",
    }
    ends = {
        "clip": "Months end on the same day of the month; where a month lacks it, on its last day.",
        "next": "Months end on the same day of the month; where a month lacks it, on the first day of the next.",
    }
    ages = [limit for route in meant.routes for d in route.deliveries for limit in (d.age.from_, d.age.by)]
    told = [
        say(ways[meant.match]),
        *([say("None counts after one that was not received.")] if meant.in_sequence else []),
    ]
    told.append(say("All windows include both ends; one record a day."))
    return " ".join(
        [*told, *([say(ends[meant.month_end])] if any(isinstance(a, Age) and a.months for a in ages) else [])]
    )


def _whom(route: Route, meant: Schedule, programme: Programme) -> str:
    told = criterion(route.who, programme) if route.who else []
    if route.first and route.first.age:
        low, high = _bare(route.first.age[0]), _age(route.first.age[1], meant)
        first = "For whoever had the first record between {low} and {high}, or has none and is of that age."
        told.insert(0, say(first, low=low, high=high))
    if route.first and route.first.service:
        told.insert(0, say("For whoever's first record is also: {name}.", name=route.first.service))
    return "\n".join(told) or say("For everybody else.")


def _anchor(meant: Schedule, programme: Programme) -> str:
    anchor, birth = meant.anchor, programme.head.subjects[meant.subject].birth or say("birth")
    if not isinstance(anchor, Anchor):
        return str(birth)
    if anchor.event:
        return named(programme.events[anchor.event].name, anchor.event)
    if anchor.delivery:
        name, number = anchor.delivery.rsplit("/", 1)
        return say("delivery {number} of {name}", number=number, name=named(programme.standards[name].name, name))
    times = programme.attributes[anchor.times].name if anchor.times else "1"
    told = say("{age} × {times} before {birth}", age=age(anchor.back or START), times=times, birth=birth)
    return told + (
        say(", on the {weekday} of that week or before", weekday=say(anchor.to_weekday)) if anchor.to_weekday else ""
    )


def indicator(i: Indicator, programme: Programme) -> str:
    """One indicator: who is counted, who is taken out, what must hold, where and on what basis."""
    kind = programme.head.subjects[i.subject]
    low, high = i.age if isinstance(i.age, tuple) else (i.age, i.age)
    kinds = {
        "cross-section": "{whom} who, on the last day of the period, are {low} or older and have not reached {high}",
        "milestone": "{whom} who reach {low} within the period, judged on that day",
        "episode": "{whom} that end within the period, judged on that day",
    }
    counted = say(kinds[i.kind], whom=_upper(str(kind.plural or kind.name)), low=_bare(low), high=_bare(high))
    place = programme.attributes.get(i.place.removeprefix("provider:"))
    about = [
        say("Rules: {rules}.", rules=_rules(i.rules, programme)),
        say("Counted: {whom}.", whom=counted),
        say("Place: {place}.", place=place.name if place else say("where the subject lives on the judging day")),
        say("Higher is better.") if i.better == "higher" else say("Lower is better."),
        *([say("Complied with when met in {months} of {of} months.", **vars(i.compliance))] if i.compliance else []),
        *(str(words) for words in (i.proxy, i.publishes) if words),
    ]
    parts = [f"# {named(i.name, i.key)}", _listed(about), *_conditions("Only for whom", i.who, programme)]
    parts += _conditions("Taken out", i.exclude, programme, excludes=True)
    parts += [
        *_conditions("It is met when", i.met, programme),
        say("Up to date: everything whose last day has passed was received, late or not."),
    ]
    return _page([*parts, f"## {say('Legal basis')}", basis(i.legal, i.reading)])


def product(p: Product, programme: Programme) -> str:
    """One product: who answers for it, to whom it is owed, and the standards that say when."""
    levels = one_of([str(programme.head.terms.get(level, level)) for level in p.levels], "and")
    said = {
        "Answers for it: {words}.": programme.head.entities[p.entity].name, "Levels that deliver: {words}.": levels,
        "Unit: {words}.": p.unit, "Owed to: {whom}.": p.owed_to, "State: {words}.": say(p.state),
    }  # fmt: skip
    about = [say(template, words=words, whom=words) for template, words in said.items() if words]
    owed = [named(s.name, name) for name, s in programme.standards.items() if s.product == p.product]
    parts = [
        f"# {named(p.name, p.product)}",
        _listed(about),
        *([f"## {say('Standards')}", _listed(owed)] if owed else []),
    ]
    return _page([*parts, f"## {say('Legal basis')}", basis(p.legal, None)])


def _proof(service: str, programme: Programme) -> str:
    written = programme.services[service]
    return f"{named(written.name, service)}: {matcher(written, programme)}."


def _conditions(title: str, condition: Criterion | None, programme: Programme, excludes: bool = False) -> list[str]:
    return [f"## {say(title)}", "\n".join(criterion(condition, programme, excludes))] if condition else []


def _rules(rules: str | None, programme: Programme) -> str:
    if rules is None:
        return say("none named")
    version = programme.head.rules[rules]
    facts = {"since": version.in_force.since, "until": version.in_force.until or say("further notice")}
    return f"{named(version.name, rules)}, " + say("in force from {since} until {until}", **facts)


def _listed(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _page(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
