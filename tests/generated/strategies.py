"""Standards, events and histories as somebody could write them, every construct of the language included.

What is drawn is the written form (dictionaries as YAML gives them), so that the way through the normal form is tested too.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from winay.core.problems import At
from winay.programme.indicators import Event
from winay.programme.schedule import Schedule, schedule
from winay.programme.standards import Standard
from winay.programme.yaml_text import AT

SERVICES = ("a", "b", "c")
Written = dict[str, Any]
INFREQUENT = st.integers(0, 3).map(lambda n: n == 0)
OFTEN = st.integers(0, 3).map(lambda n: n > 0)


@dataclass(frozen=True)
class Life:
    """One subject: birth (the end, of an episode), records by service, the number a look-back anchor reads, `who`."""

    birth: date
    records: dict[str, list[date]]
    weeks: int | None
    fits: tuple[bool, bool]


@dataclass(frozen=True)
class World:
    """A programme as written and as meant, some subjects, and the day they are judged on."""

    events: dict[str, Written]
    standards: list[Written]
    lives: list[Life]
    on: date

    def meant(self) -> list[Schedule]:
        from winay.engine.plan import event_schedule

        made = [event_schedule(name, Event.model_validate(event)) for name, event in self.events.items()]
        return made + [schedule(Standard.model_validate(standard)) for standard in self.standards]


FORMS = st.sampled_from(["d", "d", "w", "m", "+", "-"])
SMALL = st.integers(1, 9)


@cache
def ages(low: int, high: int) -> st.SearchStrategy[str]:
    """Between about `low` and `high` days, in days, weeks, months and their sums."""
    return st.tuples(FORMS, st.integers(low, high), SMALL).map(_age)


def _age(drawn: tuple[str, int, int]) -> str:
    form, days, more = drawn
    if form == "d" or days < 0:
        return f"{days}d" if days >= 0 else f"0d - {-days}d"
    if form == "w":
        return f"{days // 7}w"
    months = (days + 15) // 30
    return f"{months}m" if form == "m" else f"{months}m {form} {more}d"


@st.composite
def hands(draw: st.DrawFn, start: int, width: int, end_allowed: bool = True) -> Written:
    """A clock: each of the five hands written or not, mostly in order, `end` now and then."""
    result: Written = {}
    if draw(OFTEN):
        result["from"] = draw(ages(start, start + width))
    if draw(INFREQUENT):
        result["valid"] = draw(ages(start - 10, start + width))
    if draw(INFREQUENT):
        result["due"] = draw(ages(start, start + width))
    for hand, wide in (("by", width), ("until", 2 * width)):
        if draw(st.booleans()):
            last = draw(ages(start + width, start + width + wide))
            result[hand] = "end" if end_allowed and draw(INFREQUENT) else last
    return result


@st.composite
def gaps(draw: st.DrawFn, number: int, known: list[str], chain: bool) -> Written:
    """`since` in each of its forms; `known`: paths of deliveries of other standards."""
    since = ["counted", "previous", *(str(j) for j in range(1, number)), *known]
    result = draw(hands(draw(st.integers(0, 25)), 20))
    result["since"] = "counted" if chain else draw(st.sampled_from(since))
    if draw(INFREQUENT):
        result[AT] = At("drawn")  # as every mapping that was read: without it `at` would be taken for this
        result["at"] = {"age": [draw(ages(0, 60)), draw(st.one_of(st.just("end"), ages(60, 150)))]}
    return result


@st.composite
def releases(draw: st.DrawFn, known: list[str]) -> Written:
    kinds = ["age", "received"] + (["started"] if known else [])
    match draw(st.sampled_from(kinds)):
        case "age":
            return {"age": draw(st.sampled_from([">", ">= "])) + draw(ages(20, 150))}
        case "received":
            since = {"since": draw(ages(0, 60))} if draw(st.booleans()) else {}
            return {"received": draw(st.integers(1, 2)), **since}
    return {"started": draw(st.sampled_from(known)).rsplit("/", 1)[0]}


@st.composite
def lines(draw: st.DrawFn, chain: bool, known: list[str]) -> list[Written]:
    """One to five deliveries in a row, or an `every`."""
    if draw(INFREQUENT) and not chain:
        step = draw(st.sampled_from(["1m", "2w", "20d"]))
        return [{"every": step, "from": draw(ages(0, 30)), "until": draw(ages(45, 120))}]
    result = []
    start, apart = draw(st.integers(0, 20)), draw(st.sampled_from([0, 5, 30]))
    for number in range(1, draw(st.integers(1, 5)) + 1):
        line = draw(hands(start, draw(st.sampled_from([10, 40]))))
        if draw(st.booleans()):
            if draw(INFREQUENT):
                line["gap"] = draw(ages(1, 30))
            else:
                line["gaps"] = draw(st.lists(gaps(number, known, chain), min_size=1, max_size=2))
        if not chain and draw(INFREQUENT):
            line["not_owed_when"] = draw(st.lists(releases(known), min_size=1, max_size=2))
        if draw(INFREQUENT):
            line["service"] = draw(st.sampled_from(SERVICES))
        result.append(line)
        start += apart
    return result


@st.composite
def standards(draw: st.DrawFn, name: str, events: list[str], known: list[str], variants: bool) -> Written:
    chain = draw(INFREQUENT)
    result: Written = {"standard": name, "service": draw(st.sampled_from(SERVICES)), "subject": "child"}
    if chain:
        result["match"] = "chain"
    for key in ("in_sequence", "catch_up"):
        if draw(INFREQUENT):
            result[key] = "true"
    if draw(INFREQUENT):
        result["grace"] = draw(ages(1, 8))
    if draw(st.booleans()):
        result["month_end"] = draw(st.sampled_from(["next", "clip"]))
    if draw(INFREQUENT):
        result["gaps"] = draw(st.lists(gaps(1, [] if chain else known, chain), min_size=1, max_size=2))
    elif draw(INFREQUENT):
        result["gap"] = draw(ages(1, 30))
    anchors: list[Any] = ["birth", "birth", "birth", {"back": "1w", "times": "weeks", "from": "birth"}]
    anchors.append({"back": "1w", "times": "weeks", "to_weekday": draw(st.sampled_from(["monday", "saturday"]))})
    anchors += [{"event": event} for event in events] + [{"delivery": path} for path in known]
    result["anchor"] = draw(st.sampled_from(anchors))
    if not variants:
        return result | {"deliveries": draw(lines(chain, known))}
    routes = []
    for _ in range(draw(st.integers(1, 3))):
        route: Written = {"deliveries": draw(lines(chain, known))}
        if draw(OFTEN):
            age = {"age": [draw(ages(0, 30)), draw(st.one_of(st.just("end"), ages(20, 150)))]}
            route["first"] = draw(st.sampled_from([age, {"service": draw(st.sampled_from(SERVICES))}]))
        if draw(INFREQUENT):
            route["who"] = {"attribute": "weeks", "below": "37", "missing": "out"}
        routes.append(route)
    return result | {"variants": routes}


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Births mostly around the end of a month; records from before the birth on, several on one day now and then."""
    month_ends = [date(2019, 12, 31), date(2020, 1, 29), date(2020, 1, 30), date(2020, 1, 31), date(2020, 2, 29)]
    birth = draw(st.one_of(st.sampled_from(month_ends), st.dates(date(2019, 12, 1), date(2021, 3, 31))))
    days = st.integers(-60, 200)
    records = {s: [birth + timedelta(days=n) for n in draw(st.lists(days, max_size=8))] for s in SERVICES}
    weeks = draw(st.one_of(st.none(), st.integers(4, 12)))
    return Life(birth, records, weeks, (draw(OFTEN), draw(OFTEN)))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Two events, a plain standard, one that can refer to both, one with variants, and one that can refer to that."""
    events: dict[str, Written] = {
        "begun": {"service": draw(st.sampled_from(SERVICES)), "age": [draw(ages(0, 20)), draw(ages(40, 150))]},
        "found": {"service": draw(st.sampled_from(SERVICES)), "since": "begun"},
    }
    if draw(st.booleans()):
        events["found"]["age"] = {"until": draw(st.one_of(st.just("end"), ages(60, 200)))}
    first = draw(standards("first", list(events), [], variants=False))
    second = draw(standards("second", list(events), ["first/1", "first/2"], variants=False))
    third = draw(standards("third", list(events), ["first/1", "second/1"], variants=True))
    fourth = draw(standards("fourth", list(events), ["second/1", "third/1", "third/2"], variants=False))
    some = draw(st.lists(lives(), min_size=1, max_size=3))
    return World(
        events, [first, second, third, fourth], some, some[0].birth + timedelta(days=draw(st.integers(0, 200)))
    )
