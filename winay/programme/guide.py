"""The public text of a programme, written from the normal form that the engine counts with: one page a rule, in Markdown."""

from collections.abc import Collection, Iterable

from winay.core.ages import Age
from winay.core.text import say
from winay.programme.criteria import Criterion
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.programme.products import Product
from winay.programme.schedule import START, Clock, Delivery, GapClock, Limit, Release, Route, Schedule
from winay.programme.standards import END, Anchor
from winay.programme.words import age, criterion, legal, matcher, named, one_of, readings


def pages(programme: Programme) -> dict[str, str]:
    """File name -> Markdown: an index, and a page for each product, standard and indicator."""
    made = {f"products/{_file(name)}": product(p, programme) for name, p in programme.products.items()}
    made |= {f"standards/{_file(name)}": standard(name, programme) for name in programme.standards}
    made |= {f"indicators/{_file(key)}": indicator(i, programme) for key, i in programme.indicators.items()}
    titles = {"indicators": "Indicators", "standards": "Standards", "products": "Products"}
    index = [
        f"# {programme.head.name}",
        say("Version {version}, content {hash}.", version=programme.head.version, hash=programme.hash),
    ]
    for folder, title in titles.items():
        entries = [
            f"- [{text.split(chr(10))[0].lstrip('# ')}]({file})"
            for file, text in made.items()
            if file.startswith(folder)
        ]
        index += [f"## {say(title)}", "\n".join(entries)] if entries else []
    return {"README.md": _page(index)} | made


def standard(name: str, programme: Programme) -> str:
    """One standard: to whom, from when, what, in which windows, on what basis."""
    written, meant = programme.standards[name], programme.schedules[name]
    kind = programme.head.subjects[meant.subject]
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
        about.append(
            say(
                {
                    "each": "Every episode counts.",
                    "first": "Only the first episode counts.",
                    "last": "Only the last episode counts.",
                }[meant.episode]
            )
        )
    parts = [f"# {named(written.name, name)}", "\n".join(f"- {line}" for line in about)]
    parts += _conditions("Only for whom", meant.who, programme)
    parts += [f"## {say('Deliveries')}", _counting(meant, programme)]
    for number, route in enumerate(meant.routes, start=1):
        if len(meant.routes) > 1:
            parts.append(f"### {say('Route {number}', number=number)}")
            parts.append(_whom(route, meant, programme))
        shared = route.deliveries[0].gaps if all(d.gaps == route.deliveries[0].gaps for d in route.deliveries) else ()
        lines = [f"{d.number}. {delivery(d, meant, programme, shared)}" for d in route.deliveries]
        parts.append("\n".join(lines))
        if shared:
            lines = [f"- {_gap(gap, meant, programme)}" for gap in shared]
            parts.append("\n".join([say("For each of them:"), "", *lines]))
    parts += [f"## {say('What proves it')}", "\n".join(_proofs(meant.services, programme))]
    return _page([*parts, *_basis(legal(written.legal), readings(written.reading))])


def delivery(d: Delivery, meant: Schedule, programme: Programme, told_apart: Collection[GapClock] = ()) -> str:
    """A delivery in one sentence or two: window, gaps (but those told apart), when it is not owed."""
    told = [f"{_upper(str(programme.services[d.service].name or d.service))}: {_window(d.age, meant, programme)}."]
    told += [_gap(gap, meant, programme) for gap in d.gaps if gap not in told_apart]
    told += [_release(release, meant, programme) for release in d.releases]
    return " ".join(told)


def _window(clock: Clock, meant: Schedule, programme: Programme) -> str:
    def at(limit: Limit) -> str:
        return _age(limit, meant, programme)

    low, high = clock.from_, clock.by or clock.until
    if low != START and high:
        told = say("between {low} and {high}", low=_bare(low), high=at(high))
    elif high:
        told = say("up to {high}", high=at(high))
    else:
        told = say("from {low} on, without limit", low=at(low)) if low != START else say("at any age")
    if clock.valid != low and low != START:
        told += say("; a record counts already from {valid}", valid=at(clock.valid))
    if clock.by and clock.until is None:
        told += say("; it counts later too, without limit")
    elif clock.by and clock.until != clock.by:
        told += say("; it counts until {until}", until=at(clock.until))
    if clock.due and clock.due != low:
        told += say("; whoever has it due is called at {due}", due=at(clock.due))
    return told


def _bare(limit: Limit) -> str:
    return say("the end") if limit == END else age(limit) if isinstance(limit, Age) else ""


def _age(limit: Limit, meant: Schedule, programme: Programme) -> str:
    """An age with what it counts from: 55 days of age, 25 days after the diagnosis."""
    if not isinstance(limit, Age):
        return say("the end of the episode")
    if meant.anchor == "birth":
        return say("{age} of age", age=age(limit))
    return say("{age} after {anchor}", age=age(limit), anchor=say("the reference date"))


def _gap(gap: GapClock, meant: Schedule, programme: Programme) -> str:
    clock, facts = (
        gap.clock,
        {"since": _since(gap, programme), "least": age(gap.clock.valid), "most": _bare(gap.clock.until)},
    )
    if clock.valid != START and clock.until:
        told = say("Between {least} and {most} after {since}", **facts)
    elif clock.until:
        told = say("At most {most} after {since}", **facts)
    else:
        told = say("At least {least} after {since}", **facts)
    if clock.from_ != clock.valid:
        told += say(", planned from {start}", start=age(clock.from_))
    if clock.by and clock.by != clock.until:
        told += say(", on time up to {by} after it", by=_bare(clock.by))
    if gap.ages:
        low, high = gap.ages
        told += say(", for a record between {low} and {high}", low=_bare(low), high=_age(high, meant, programme))
    return told + "."


def _since(gap: GapClock, programme: Programme) -> str:
    if isinstance(gap.since, int):
        return say("delivery {number}", number=gap.since)
    if isinstance(gap.since, tuple):
        name, number = gap.since
        told = programme.standards[name].name if name in programme.standards else name
        return say("delivery {number} of {name}", number=number, name=told or name)
    counted = gap.since == "counted"
    return say("the last one that counted") if counted else say("the last record of the service, counted or not")


def _release(release: Release, meant: Schedule, programme: Programme) -> str:
    if release.age is not None:
        template = "Not owed to who is older than {age}." if release.after_age else "Not owed from {age} on."
        return say(template, age=_age(release.age, meant, programme))
    if release.received is not None:
        since = _age(release.since, meant, programme)
        return say("Not owed once {n} were received since {since}.", n=release.received, since=since)
    return say('Not owed once "{name}" was begun.', name=release.started)


def _counting(meant: Schedule, programme: Programme) -> str:
    """How records are chosen, and what the windows mean."""
    ways = {
        "chain": "They count when some choice of records makes a chain: each in its window and at its distance.",
        "earliest": "For each delivery the earliest record that fits counts, later than the last one that counted.",
    }
    told = [say(ways[meant.match])]
    if meant.in_sequence:
        told.append(say("None counts after one that was not received."))
    told.append(say("All windows include both ends; one record a day."))
    if any(
        a.months
        for route in meant.routes
        for d in route.deliveries
        for a in (d.age.from_, d.age.by)
        if isinstance(a, Age)
    ):
        ends = {"clip": "its last day", "next": "the first day of the next month"}
        told.append(
            say(
                "Months end on the same day of the month; where a month lacks it, on {day}.",
                day=say(ends[meant.month_end]),
            )
        )
    return " ".join(told)


def _whom(route: Route, meant: Schedule, programme: Programme) -> str:
    told = []
    if route.first and route.first.age:
        low, high = route.first.age
        facts = {"low": _bare(low), "high": _age(high, meant, programme)}
        told.append(
            say("For whoever had the first record between {low} and {high}, or has none and is of that age.", **facts)
        )
    if route.first and route.first.service:
        told.append(say("For whoever's first record is also: {name}.", name=route.first.service))
    return "\n".join([*told, *(criterion(route.who, programme) if route.who else [])]) or say("For everybody else.")


def _anchor(meant: Schedule, programme: Programme) -> str:
    anchor = meant.anchor
    birth = programme.head.subjects[meant.subject].birth or say("birth")
    if not isinstance(anchor, Anchor):
        return str(birth)
    if anchor.event:
        return named(programme.events[anchor.event].name, anchor.event)
    if anchor.delivery:
        name, number = anchor.delivery.rsplit("/", 1)
        return say("delivery {number} of {name}", number=number, name=name)
    times = programme.attributes[anchor.times].name or anchor.times if anchor.times else "1"
    told = say("{age} × {times} before {birth}", age=age(anchor.back or START), times=times, birth=birth)
    return told + (
        say(", on the {weekday} of that week or before", weekday=say(anchor.to_weekday)) if anchor.to_weekday else ""
    )


def indicator(i: Indicator, programme: Programme) -> str:
    """One indicator: who is counted, who is taken out, what must hold, where and on what basis."""
    kind = programme.head.subjects[i.subject]
    whom = str(kind.plural or kind.name)
    ages = [_bare(limit) for limit in (i.age if isinstance(i.age, tuple) else (i.age,)) if limit is not None]
    kinds = {
        "cross-section": "{whom} who, on the last day of the period, are {low} or older and have not reached {high}",
        "milestone": "{whom} who reach {low} within the period, judged on that day",
        "episode": "{whom} that end within the period, judged on that day",
    }
    facts = {"whom": _upper(whom), "low": next(iter(ages), ""), "high": ages[-1] if ages else ""}
    places = {"residence": say("where the subject lives on the judging day")}
    named_place = i.place.removeprefix("provider:")
    place = places.get(i.place) or str(programme.attributes[named_place].name or named_place)
    about = [
        say("Rules: {rules}.", rules=_rules(i.rules, programme)),
        say("Counted: {whom}.", whom=say(kinds[i.kind], **facts)),
        say("Place: {place}.", place=place),
        say("Higher is better.") if i.better == "higher" else say("Lower is better."),
    ]
    if i.compliance:
        about.append(
            say("Complied with when met in {months} of {of} months.", months=i.compliance.months, of=i.compliance.of)
        )
    about += [str(words) for words in (i.proxy, i.publishes) if words]
    parts = [f"# {i.name} (`{i.key}`)", "\n".join(f"- {line}" for line in about)]
    parts += _conditions("Only for whom", i.who, programme)
    parts += _conditions("Taken out", i.exclude, programme, excludes=True)
    parts += _conditions("It is met when", i.met, programme)
    parts.append(say("Up to date: everything whose last day has passed was received, late or not."))
    return _page([*parts, *_basis(legal(i.legal), readings(i.reading))])


def product(p: Product, programme: Programme) -> str:
    """One product: who answers for it, to whom it is owed, and the standards that say when."""
    entity = programme.head.entities[p.entity].name
    levels = one_of([str(programme.head.terms.get(level, level)) for level in p.levels], "and")
    told = {
        "Answers for it: {words}.": entity,
        "Levels that deliver: {words}.": levels,
        "Unit: {words}.": p.unit,
        "Owed to: {whom}.": p.owed_to,
    }
    about = [say(template, words=words, whom=words) for template, words in told.items() if words]
    about.append(say("State: {state}.", state=say(p.state)))
    owed = [f"- {named(s.name, n)}" for n, s in programme.standards.items() if s.product == p.product]
    parts = [f"# {named(p.name, p.product)}", "\n".join(f"- {line}" for line in about)]
    parts += [f"## {say('Standards')}", "\n".join(owed)] if owed else []
    return _page([*parts, *_basis(legal(p.legal), [])])


def _proofs(services: Iterable[str], programme: Programme) -> list[str]:
    return [f"- {named(programme.services[s].name, s)}: {matcher(programme.services[s], programme)}." for s in services]


def _conditions(title: str, condition: Criterion | None, programme: Programme, excludes: bool = False) -> list[str]:
    return [f"## {say(title)}", "\n".join(criterion(condition, programme, 0, excludes))] if condition else []


def _basis(basis: str, taken: list[str]) -> list[str]:
    return [f"## {say('Legal basis')}", "\n\n".join([basis, *taken])]


def _rules(rules: str | None, programme: Programme) -> str:
    if rules is None:
        return say("none named")
    version = programme.head.rules[rules]
    facts = {"since": version.in_force.since, "until": version.in_force.until or say("further notice")}
    return f"{named(version.name, rules)}, " + say("in force from {since} until {until}", **facts)


def _file(name: str) -> str:
    return name.replace("/", "-") + ".md"


def _page(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
