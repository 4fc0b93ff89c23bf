"""The parts of a rule in words that a jurist can check: ages, windows, conditions, what proves a service, legal basis."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from winay.core.ages import Age
from winay.core.text import Text, say
from winay.programme.chain import Link, Product
from winay.programme.criteria import Criterion, Stretch
from winay.programme.legal import Legal, Reading
from winay.programme.load import Programme
from winay.programme.schedule import START, Clock, Delivery, GapClock, Limit, Release, Schedule
from winay.programme.services import Matcher
from winay.programme.standards import Anchor
from winay.programme.written_age import END
from winay.programme.yaml_text import Written, inside, names_of

HEADS = {"all_of": "all of these:", "any_of": "at least one of these:", "at_least": "at least {n} of these:"}
SINGLE = {
    "born_in": "was born in the calendar year of the judging day",
    "enrolled": 'is enrolled in "{what}"',
    "package": 'has the package "{what}" complete:',
    "up_to_date": "is up to date with {what}",
    "received": "has received {what}, late or not",
    "on_time": "has received {what}, on time",
    "event": "has had: {what}",
}


def age(limit: Limit) -> str:
    """`12m - 1d` -> 12 months less 1 day; nothing where there is no limit."""
    if not isinstance(limit, Age):
        return say("the end of the episode") if limit == END else ""
    if not limit.months:
        return _counted(limit.days, "day")
    whole = limit.months >= 24 and limit.months % 12 == 0
    months = _counted(limit.months // 12, "year") if whole else _counted(limit.months, "month")
    if not limit.days:
        return months
    days = _counted(abs(limit.days), "day")
    return say("{months} less {days}" if limit.days < 0 else "{months} and {days}", months=months, days=days)


def age_from(limit: Limit, meant: Schedule) -> str:
    """An age with what it counts from: 55 days of age, 25 days after the reference date."""
    template = "{age} of age" if meant.anchor == "birth" else "{age} after the reference date"
    return say(template, age=age(limit)) if isinstance(limit, Age) else age(limit)


def _counted(amount: int, unit: str) -> str:
    return say("{n} " + unit + ("" if amount == 1 else "s"), n=amount)


def one_of(parts: Sequence[str], last: str = "or") -> str:
    """a, b or c."""
    return f" {say(last)} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def named(words: Text | None, key: str) -> str:
    """A name with its key, or the key alone."""
    return f"{words} (`{key}`)" if words else f"`{key}`"


def delivery_of(name: str, number: object, programme: Programme) -> str:
    """delivery 2 of a standard."""
    return say("delivery {number} of {name}", number=number, name=named(programme.standards[name].name, name))


def upper(text: object) -> str:
    """With its first letter in upper case."""
    return str(text)[:1].upper() + str(text)[1:]


def delivery(d: Delivery, meant: Schedule, programme: Programme, told_apart: Collection[GapClock] = ()) -> str:
    """A delivery in one sentence or two: window, gaps (but those told apart), when it is not owed."""
    told = [f"{upper(programme.services[d.service].name or d.service)}: {_window(d.age, meant)}."]
    told += [gap(one, meant, programme) for one in d.gaps if one not in told_apart]
    return " ".join([*told, *(_release(release, meant) for release in d.releases)])


def _window(clock: Clock, meant: Schedule) -> str:
    high, opens = clock.by or clock.until, clock.from_ != START
    facts = {"start": age(clock.from_), "low": age_from(clock.from_, meant), "high": age_from(high, meant)}
    if high:
        told = say("between {start} and {high}" if opens else "up to {high}", **facts)
    else:
        told = say("from {low} on, without limit" if opens else "at any age", **facts)
    if clock.valid != clock.from_ and opens:
        told += say("; a record counts already from {valid}", valid=age_from(clock.valid, meant))
    if clock.by and clock.until != clock.by:
        limit = "; it counts until {until}" if clock.until else "; it counts later too, without limit"
        told += say(limit, until=age_from(clock.until, meant))
    if clock.due and clock.due != clock.from_:
        told += say("; whoever has it due is called at {due}", due=age_from(clock.due, meant))
    return told


def gap(gap: GapClock, meant: Schedule, programme: Programme) -> str:
    """At which distance from another record, in one sentence."""
    clock = gap.clock
    facts = {"since": _since(gap, programme), "least": age(clock.valid), "most": age(clock.until)}
    both = "Between {least} and {most} after {since}" if clock.valid != START else "At most {most} after {since}"
    told = say(both if clock.until else "At least {least} after {since}", **facts)
    if clock.from_ != clock.valid:
        told += say(", planned from {start}", start=age(clock.from_))
    if clock.by and clock.by != clock.until:
        told += say(", on time up to {by} after it", by=age(clock.by))
    if gap.ages:
        told += say(", for a record between {low} and {high}", low=age(gap.ages[0]), high=age_from(gap.ages[1], meant))
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
        return say(template, age=age_from(release.age, meant))
    if release.received is not None:
        facts = {"n": release.received, "since": age_from(release.since, meant)}
        return say("Not owed once {n} were received since {since}.", **facts)
    return say('Not owed once "{name}" was begun.', name=release.started)


def anchor(meant: Schedule, programme: Programme) -> str:
    """What ages count from."""
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


def criterion(c: Criterion, programme: Programme, excludes: bool = False, depth: int = 0) -> list[str]:
    """The condition as lines of a Markdown list, its parts indented below it; one that `excludes` takes people out."""
    if c.kind in HEADS:
        head = say(HEADS[c.kind], n=c.at_least.n if c.at_least else 0)
        told = f"{c.says}, {head}" if c.says else head
    else:
        told = str(c.says or "") or (_attribute(c, programme, excludes) if c.attribute else _single(c, programme))
    parts = [programme.packages[c.package]] if c.package else c.children
    line = "  " * depth + "- " + told + (f" (`{c.name}`)" if c.name else "")
    return [line, *(line for part in parts for line in criterion(part, programme, excludes, depth + 1))]


def _single(c: Criterion, programme: Programme) -> str:
    if c.seen:
        what = named(programme.recognised[c.seen.service].name, c.seen.service)
        told = say("has records of {what} on {n} days or more", what=what, n=c.seen.times) + _stretch(c.seen)
        return told + (say(", {gap} apart", gap=age(c.seen.gap)) if c.seen.gap > Age(0, 1) else "")
    if c.latest:
        measured, holds = (named(programme.recognised[name].name, name) for name in (c.latest.measured, c.latest.is_))
        return say("the last record of {measured} is also one of {holds}", measured=measured, holds=holds) + _stretch(
            c.latest
        )
    name, _, number = str(getattr(c, c.kind)).partition("/")
    known: dict[str, Any] = {**programme.standards, **programme.events} if c.kind not in ("package", "enrolled") else {}
    what = named(known[name].name, name) if name in known else name
    return say(SINGLE[c.kind], what=delivery_of(name, number, programme) if number else what)


def _stretch(c: Stretch) -> str:
    return say(", in the {age} before", age=age(c.length)) if c.length else say(", in the calendar year")


def _attribute(c: Criterion, programme: Programme, excludes: bool) -> str:
    first, _, last = (c.attribute or "").partition(".")
    attribute = programme.attributes[last or first]
    tests = {"is {value}": c.in_ or ([c.is_] if c.is_ else None), "is only {value}": c.only, "includes {value}": c.any_}
    names = {test: [str(attribute.values.get(v, v)) for v in values or []] for test, values in tests.items()}
    told = _tests(names) + _bounds(c, "")
    unit = f" {attribute.unit}" if attribute.unit else ""
    owner = say(" of the place") if first == "place" else f" ({programme.attributes[first].name})" if last else ""
    inside = (c.missing == "in") != excludes
    missing = say("who has no value is inside") if inside else say("who has no value is outside")
    return f"{attribute.name or last or first}{owner} {' '.join(told)}{unit}; {missing}"


def _tests(tests: Mapping[str, Sequence[str] | None]) -> list[str]:
    return [say(test, value=one_of(values)) for test, values in tests.items() if values]


def _bounds(limits: Any, form: str) -> list[str]:
    """The bounds of a criterion or of a measured value."""
    bounds = {"from {value}": limits.from_, "up to {value}": limits.to, "below {value}": limits.below}
    return [say(test, value=format(bound, form)) for test, bound in bounds.items() if bound is not None]


def matcher(m: Matcher, programme: Programme) -> str:
    """What a record must say to prove a service, in one sentence."""
    types = (m.type or programme.head.counted_types) if m.code else None
    same = [named(programme.services[m.is_].name, m.is_)] if m.is_ else None
    parts = _tests({
        "code {value}": m.code, "of type {value}": types, "the same as {value}": same, "with LAB {value}": m.lab,
        "without LAB {value}": m.lab_not,
    })  # fmt: skip
    for name, limits in (m.value or {}).items():
        parts.append(f"{say(name)} {' '.join(_bounds(limits, 'g')) or say('present')}")
    for name, values in (m.provider or {}).items():
        attribute = programme.attributes[name].name if name in programme.attributes else name
        parts.append(say("in a facility whose {name} is {value}", name=attribute, value=one_of(values)))
    parts += [say("with, in the same contact, {other}", other=matcher(x, programme)) for x in m.with_ or []]
    parts += [say("without, in the same contact, {other}", other=matcher(x, programme)) for x in m.without or []]
    parts += [f"({matcher(part, programme)})" for part in m.all_ or []]
    ways = [f"({matcher(part, programme)})" for part in m.any_ or []]
    return ", ".join([*parts, *filter(None, [one_of(ways)])])


def readings(rule: Written, programme: Programme) -> list[Reading]:
    """How ambiguous texts were read for a rule, and for the services, events and packages it is made of."""
    parts: dict[str, Mapping[str, Written]] = {
        "service": programme.services,
        "event": programme.events,
        "package": programme.packages,
    }
    found: list[Reading] = []
    waiting: list[Written] = [rule]
    for item in waiting:
        found += (one for one in inside(item) if isinstance(one, Reading) and one not in found)
        names = (name for part in inside(item) for name in names_of(part))
        waiting += (parts[thing][name] for thing, name in names if thing in parts and parts[thing][name] not in waiting)
    return found


def basis(legal: Legal | None, readings: Sequence[Reading] | None) -> str:
    """On what a rule stands, how sure it is, the readings taken of ambiguous texts and how else they could be read."""
    lines = [say("no legal basis written")]
    if legal:
        told = legal.told() or say("none")
        told = f"[{told}]({legal.url})" if legal.url else told
        sure = say("{basis}; confidence: {how}", basis=told, how=say(legal.confidence))
        lines = [f"{sure}. {legal.note or ''}".rstrip()]
    for one in readings or []:
        lines.append(say("Reading taken: {words}", words=one.taken) + (f" [{one.row}]" if one.row else ""))
        lines += [say("It could be read otherwise: {words}", words=one.other)] if one.other else []
    return "\n\n".join(lines)


def levels(product: Product, programme: Programme) -> str:
    """The levels of government that deliver a product."""
    return one_of([term(level, programme) for level in product.levels], "and")


def term(code: str, programme: Programme) -> str:
    """The programme's words for a code, or the code."""
    return str(programme.head.terms.get(code, code))


def link(one: Link, programme: Programme) -> str:
    """Where a link of the chain leads, how well it is supported and by what."""
    strength = f"{named(programme.results[one.to].name, one.to)}: {term(one.strength, programme)}"
    return ". ".join(filter(None, [strength, one.legal.told() if one.legal else "", str(one.note or "")]))


def counts_months(meant: Schedule) -> bool:
    """Whether a window of the standard steps over months."""
    limits = [limit for route in meant.routes for d in route.deliveries for limit in (d.age.from_, d.age.by)]
    return any(isinstance(limit, Age) and limit.months for limit in limits)
