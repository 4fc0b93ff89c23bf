"""The parts of a rule in words that a jurist can check: ages, conditions, what proves a service, legal basis."""

from collections.abc import Mapping, Sequence
from typing import Any

from winay.core.ages import Age
from winay.core.text import Text, say
from winay.programme.criteria import Criterion
from winay.programme.legal import Legal, Reading
from winay.programme.load import Programme
from winay.programme.services import Matcher

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


def age(value: Age) -> str:
    """`12m - 1d` -> 12 months less 1 day."""
    if not value.months:
        return _counted(value.days, "day")
    whole = value.months >= 24 and value.months % 12 == 0
    months = _counted(value.months // 12, "year") if whole else _counted(value.months, "month")
    if not value.days:
        return months
    days = _counted(abs(value.days), "day")
    return say("{months} less {days}" if value.days < 0 else "{months} and {days}", months=months, days=days)


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
    name, _, number = str(getattr(c, c.kind)).partition("/")
    known: dict[str, Any] = {**programme.standards, **programme.events} if c.kind not in ("package", "enrolled") else {}
    what = named(known[name].name, name) if name in known else name
    return say(SINGLE[c.kind], what=delivery_of(name, number, programme) if number else what)


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
