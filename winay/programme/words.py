"""The parts of a rule in words that a jurist can check: ages, conditions, what proves a service, legal basis."""

from collections.abc import Sequence

from winay.core.ages import Age
from winay.core.text import Text, say
from winay.programme.criteria import Criterion
from winay.programme.legal import Legal, Reading
from winay.programme.load import Programme
from winay.programme.services import Condition, Matcher

ONE_MONTH = Age(1)


def age(value: Age) -> str:
    """`12m - 1d` -> 12 months less 1 day."""
    if not value.months:
        return _counted(value.days, "day")
    years = value.months >= 24 and value.months % 12 == 0
    told = _counted(value.months // 12, "year") if years else _counted(value.months, "month")
    if not value.days:
        return told
    joined = "{months} less {days}" if value.days < 0 else "{months} and {days}"
    return say(joined, months=told, days=_counted(abs(value.days), "day"))


def _counted(amount: int, unit: str) -> str:
    return say("{n} " + unit + ("" if amount == 1 else "s"), n=amount)


def one_of(parts: Sequence[str], last: str = "or") -> str:
    """a, b or c."""
    joined = f" {say(last)} "
    return joined.join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def criterion(c: Criterion, programme: Programme, depth: int = 0, excludes: bool = False) -> list[str]:
    """The condition as lines of a Markdown list, its parts indented below it; one that `excludes` takes people out."""
    indent = "  " * depth + "- "
    if c.kind in ("all_of", "any_of", "at_least"):
        heads = {"all_of": "all of these:", "any_of": "at least one of these:", "at_least": "at least {n} of these:"}
        head = say(heads[c.kind], n=c.at_least.n if c.at_least else 0)
        return [
            indent + head,
            *(line for part in c.children for line in criterion(part, programme, depth + 1, excludes)),
        ]
    told = (str(c.says) if c.says else _single(c, programme, excludes)) + (f" (`{c.name}`)" if c.name else "")
    inside = criterion(programme.packages[c.package], programme, depth + 1, excludes) if c.package else []
    return [indent + told, *inside]


def _single(c: Criterion, programme: Programme, excludes: bool) -> str:
    if c.attribute:
        return _attribute(c, programme, excludes)
    if c.born_in:
        return say("was born in the calendar year of the judging day")
    if c.enrolled:
        return say('is enrolled in "{name}"', name=c.enrolled)
    if c.package:
        return say('has the package "{name}" complete:', name=c.package)
    if c.event:
        return say("has had: {name} (`{key}`)", name=programme.events[c.event].name or c.event, key=c.event)
    path = c.up_to_date or c.received or c.on_time or ""
    name, _, number = path.partition("/")
    facts = {"name": programme.standards[name].name or name, "key": name, "number": number}
    which = "delivery {number} of " if number else ""
    if c.up_to_date:
        return say("is up to date with {name} (`{key}`)", **facts)
    done = "on time" if c.on_time else "late or not"
    whole = "" if number else "everything of "
    return say(f"has received {which}{whole}{{name}} (`{{key}}`), {done}", **facts)


def _attribute(c: Criterion, programme: Programme, excludes: bool) -> str:
    first, _, last = (c.attribute or "").partition(".")
    attribute = programme.attributes[last or first]
    unit = f" {attribute.unit}" if attribute.unit else ""
    values = [str(attribute.values.get(v, v)) for v in [c.is_] if v is not None]
    listed = [str(attribute.values.get(v, v)) for v in c.in_ or c.only or c.any_ or []]
    facts = {
        "value": one_of(values),
        "values": one_of(listed),
        "from": c.from_,
        "to": c.to,
        "below": c.below,
        "unit": unit,
    }
    if c.is_ is not None:
        told = say("is {value}", **facts)
    elif c.in_:
        told = say("is {values}", **facts)
    elif c.only:
        told = say("is only {values}", **facts)
    elif c.any_:
        told = say("includes {values}", **facts)
    else:
        bounds = {"from {from}": c.from_, "up to {to}": c.to, "below {below}": c.below}
        told = " ".join(say(bound, **facts) for bound, written in bounds.items() if written is not None) + unit
    owner = ""
    if last:
        owner = say(" of the place") if first == "place" else f" ({programme.attributes[first].name or first})"
    inside = (c.missing == "in") != excludes
    missing = say("who has no value is inside") if inside else say("who has no value is outside")
    return f"{attribute.name or last or first}{owner} {told}; {missing}"


def matcher(m: Matcher, programme: Programme) -> str:
    """What a record must say to prove a service, in one sentence."""
    parts = []
    if m.code:
        parts.append(say("code {codes}", codes=one_of(m.code)))
        types = m.type or programme.head.counted_types
        if types:
            parts.append(say("of type {types}", types=one_of(types)))
    if m.is_:
        parts.append(say("the same as {name}", name=_service(m.is_, programme)))
    if m.lab:
        parts.append(say("with LAB {labs}", labs=one_of(m.lab)))
    if m.lab_not:
        parts.append(say("without LAB {labs}", labs=one_of(m.lab_not)))
    for name, condition in (m.value or {}).items():
        parts.append(f"{say(name)} {_range(condition)}")
    for name, listed in (m.provider or {}).items():
        parts.append(say("in a facility whose {name} is {values}", name=_named(name, programme), values=one_of(listed)))
    parts += [say("with, in the same contact, {other}", other=matcher(o, programme)) for o in m.with_ or []]
    parts += [say("without, in the same contact, {other}", other=matcher(o, programme)) for o in m.without or []]
    parts += [f"({matcher(part, programme)})" for part in m.all_ or []]
    if m.any_:
        parts.append(one_of([f"({matcher(part, programme)})" for part in m.any_]))
    return ", ".join(parts)


def _named(attribute: str, programme: Programme) -> str:
    return str(programme.attributes[attribute].name or attribute) if attribute in programme.attributes else attribute


def _range(c: Condition) -> str:
    bounds = {"from {value:g}": c.from_, "up to {value:g}": c.to, "below {value:g}": c.below}
    told = [say(bound, value=value) for bound, value in bounds.items() if value is not None]
    return " ".join(told) or say("present")


def _service(name: str, programme: Programme) -> str:
    return f"{programme.services[name].name or name} (`{name}`)"


def legal(basis: Legal | None) -> str:
    """On what a rule stands and how sure it is."""
    if basis is None:
        return say("no legal basis written")
    told = basis.told() or say("none")
    told = f"[{told}]({basis.url})" if basis.url else told
    note = f" {basis.note}" if basis.note else ""
    return say("{basis}; confidence: {how}", basis=told, how=say(basis.confidence)) + "." + note


def readings(written: Reading | list[Reading] | None) -> list[str]:
    """The reading taken of an ambiguous text, and how else it could be read."""
    lines = []
    for one in written if isinstance(written, list) else [written] if written else []:
        lines.append(say("Reading taken: {words}", words=one.taken) + (f" [{one.row}]" if one.row else ""))
        if one.other:
            lines.append(say("It could be read otherwise: {words}", words=one.other))
    return lines


def named(words: Text | None, key: str) -> str:
    """A name with its key, or the key alone."""
    return f"{words} (`{key}`)" if words else f"`{key}`"
