"""What looks like a slip in a programme without errors: official rules do overlap, so people decide what is one."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winay.core.ages import Age, MonthEnd, after, days_of
from winay.core.problems import At, Problem
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.programme.schedule import Clock, Delivery, Schedule, expanded
from winay.programme.services import Matcher
from winay.programme.sources import Cell
from winay.programme.standards import Standard, Variant
from winay.programme.yaml_text import inside, names_of

Days = NDArray[np.int32]
Span = tuple[Delivery, Days, Days]
"""A delivery, the first and the last day on which a record counts by its age."""
STARTS = np.arange(days_of(date(2020, 1, 1)), days_of(date(2024, 1, 1)), dtype=np.int32)
"""Every day a clock can start on: month lengths repeat after four years."""
NEVER = STARTS + np.int32(100_000)
SLIP = 7
"""Days: a shorter stretch without a delivery looks like a slip of the pen."""
ORDERED = (("valid", "from_", "due", "by", "until"), ("from_", "to"), ("from_", "below"), ("since", "until"))
"""Fields that come one after the other, where they are written."""
USED_AS = {"services": "service", "measures": "service or measure", "events": "event", "packages": "package"}
"""Part of a programme whose items are there to be used -> what they are called where they are."""


def remarks(programme: Programme, on: date) -> list[Problem]:
    """What the authors of a programme should look at, as of a day."""
    return [
        *_reversed(programme),
        *(remark for standard in programme.standards.values() for remark in _windows(standard, programme)),
        *_unwritten(programme),
        *_counted_twice(programme),
        *_past(programme, on),
        *_unused(programme),
        *_unmeasured(programme),
    ]


def _reversed(programme: Programme) -> Iterator[Problem]:
    """Ranges that nothing lies in: ages, days, values."""
    at = None
    for part in inside([programme.head, programme.parts]):
        at, written = part.at or at, part.__dict__
        ranges = [
            [(name.rstrip("_"), written[name]) for name in names if written.get(name) is not None] for names in ORDERED
        ]
        if isinstance(written.get("age"), tuple):
            ranges.append([("age", limit) for limit in written["age"]])
        for (low, first), (high, last) in (pair for one in ranges for pair in pairwise(one)):
            if _after(first, last, programme.head.month_end):
                found = "`{low}` ({first}) comes after `{high}` ({last}): nothing lies between"
                facts = {"low": low, "first": first, "high": high, "last": last}
                yield Problem(at, found, hint="change one of them", facts=facts)


def _after(low: Any, high: Any, month_end: MonthEnd) -> bool:
    """Whether one limit lies behind the other; ages: on whatever day they start."""
    if isinstance(low, Age) and isinstance(high, Age):
        if low.months <= high.months and low.days <= high.days:
            return False  # at a glance: so it is nearly always
        return bool((after(low, STARTS, month_end) > after(high, STARTS, month_end)).all())
    with suppress(InvalidOperation, TypeError):  # words, which have no order
        return bool(Decimal(low) > Decimal(high) if isinstance(low, str) else low > high)
    return False


def _windows(standard: Standard, programme: Programme) -> Iterator[Problem]:
    meant = programme.schedules[standard.standard]
    groups = standard.variants or [Variant(deliveries=standard.deliveries)]
    for group, route in zip(groups, meant.routes, strict=True):
        places = [line.at or standard.at for line in group.deliveries for _ in expanded(line)]
        spans = [(d, *_span(d.age, meant.month_end)) for d in route.deliveries]
        yield from _unreachable(spans, meant, places)
        yield from _overlapping([] if meant.in_turn else spans, standard.at)
        yield from _holes(spans, places)


def _span(clock: Clock, month_end: MonthEnd, since: tuple[Days, Days] = (STARTS, STARTS)) -> tuple[Days, Days]:
    """First and last day on which a record counts, for each day of STARTS."""
    opens = after(clock.valid, since[0], month_end)
    return opens, after(clock.until, since[1], month_end) if isinstance(clock.until, Age) else NEVER


def _unreachable(spans: Sequence[Span], meant: Schedule, places: Sequence[At | None]) -> Iterator[Problem]:
    """Deliveries whose clocks never meet, on whatever days the records before them were."""
    reached: dict[object, tuple[Days, Days]] = {}
    for (d, low, high), at in zip(spans, places, strict=True):
        for gap in (gap for gap in d.gaps if gap.ages is None):
            before = d.number - 1 if gap.since == "counted" and meant.in_turn else gap.since
            if before in reached:
                opens, closes = _span(gap.clock, meant.month_end, reached[before])
                low, high = np.maximum(low, opens), np.minimum(high, closes)
        if (low > high).all():
            found = "no record can ever be delivery {number}: its age and its gaps never meet"
            hint = "see its `valid`, `from`, `by`, `until`, and those of the delivery its gaps begin at"
            yield Problem(at, found, hint=hint, facts={"number": d.number})
        elif not d.releases:
            reached[d.number] = low, high


def _overlapping(spans: Sequence[Span], at: At | None) -> Iterator[Problem]:
    """Deliveries of one service that records of two days running can pay."""
    numbers = [
        number
        for (one, low, high), (other, opens, closes) in combinations((span for span in spans if not span[0].gaps), 2)
        if one.service == other.service and ((opens < high) & (low < closes)).any()
        for number in (one.number, other.number)
    ]
    if numbers:
        found = "deliveries {first} to {last} overlap: records of two days running can be two of them"
        hint = "write a `gap` (1d where the rule means it so), or `in_sequence: true`"
        yield Problem(at, found, hint=hint, facts={"first": min(numbers), "last": max(numbers)})


def _holes(spans: Sequence[Span], places: Sequence[At | None]) -> Iterator[Problem]:
    """Days between deliveries of one service on which a record is neither: few of them, or in a row that else has none."""
    holes = [
        int((opens - closes).max()) - 1 if one.service == other.service else -1
        for (one, _, closes), (other, opens, _) in pairwise(spans)
    ]
    lengths = [int((closes - opens).max()) + 1 for _, opens, closes in spans]
    for n, days in enumerate(holes):
        if 0 < days <= SLIP or (0 in holes and 0 < days <= min(lengths[n : n + 2])):
            found = "{days} days lie between deliveries {number} and {next}: a record on them is neither"
            hint = "let one window end the day before the next begins, unless the rule means it so"
            yield Problem(places[n + 1], found, hint=hint, facts={"days": days, "number": n + 1, "next": n + 2})


def _unwritten(programme: Programme) -> Iterator[Problem]:
    """Codes, types and LAB values that no source declares."""
    for field in ("code", "type", "lab"):
        words, patterns = _declared(programme, field)
        for matcher in inside(programme.services) if words or patterns else ():
            for code in (isinstance(matcher, Matcher) and getattr(matcher, field)) or ():
                if code not in words and not any(pattern.fullmatch(code) for pattern in patterns):
                    found = 'no source declares that it writes the {field} "{code}"'
                    hint = "correct it, or declare it in a source: a `pattern`, `values` or a `constant`"
                    yield Problem(matcher.at, found, hint=hint, facts={"field": field, "code": code})


def _declared(programme: Programme, field: str) -> tuple[set[str | None], list[re.Pattern[str]]]:
    """What sources say they write in a column of items; a column that takes anything says nothing."""
    words: set[str | None] = set()
    patterns = []
    for source in programme.sources.values():
        rows = [write.row for write in source.writes if write.table == "items"]
        for cell in (part for row in rows for part in inside(row.get(field)) if isinstance(part, Cell)):
            column = source.by_name.get(cell.column or "")
            words |= {cell.constant, *(column.values or {}).values(), column.otherwise} if column else {cell.constant}
            if column and column.pattern and not column.values:
                patterns.append(re.compile(column.pattern))
    return words - {None}, patterns


def _counted_twice(programme: Programme) -> Iterator[Problem]:
    """Codes with which one record proves two services that a product is owed under one rule version."""
    proved: dict[tuple[str, object], dict[str, Matcher]] = defaultdict(dict)
    for name, standard in programme.standards.items():
        for service in programme.schedules[name].services:
            matcher = programme.services[service]
            rest = matcher.model_dump(exclude={"code", "name", "product", "legal", "reading"})
            for code in matcher.code or ():
                proved[code, (standard.product, standard.rules, str(rest))][service] = matcher
    for (code, _), services in proved.items():
        if len(services) > 1:
            found = 'one record with the code "{code}" proves each of: {services}'
            hint = "tell them apart, or leave the code in one of them"
            facts = {"code": code, "services": ", ".join(services)}
            yield Problem([*services.values()][-1].at, found, hint=hint, facts=facts)


def _past(programme: Programme, on: date) -> Iterator[Problem]:
    """Indicators whose rules ended before the day, and that are still the headline or the last of a product."""

    def ended(indicator: Indicator) -> bool:
        until = (indicator.in_force or programme.head.rules[indicator.rules].in_force).until
        return until is not None and until < on

    followed = {indicator.product for indicator in programme.indicators.values() if not ended(indicator)} | {None}
    for key, indicator in programme.indicators.items():
        if ended(indicator) and (key == programme.head.headline or indicator.product not in followed):
            found = 'on {on} the rules of "{name}" have ended: it is still the headline, or the last of its product'
            hint = "write the rules that follow them, or correct `in_force`"
            yield Problem(indicator.at, found, hint=hint, facts={"name": key, "on": on})


def _unused(programme: Programme) -> Iterator[Problem]:
    """Services, measures, events and packages that no rule needs."""
    used = {name for part in inside(programme.parts) for thing, name in names_of(part) if thing in USED_AS.values()}
    for part in USED_AS:
        for name, item in programme.parts[part].items():
            if name not in used:
                hint = "name it in a rule, or leave it out"
                yield Problem(item.at, 'no rule uses "{name}"', hint=hint, facts={"name": name})


def _unmeasured(programme: Programme) -> Iterator[Problem]:
    """Sheets without indicator, though one has their code and rules that hold in their year."""
    for name, sheet in programme.sheets.items():
        year = date(sheet.year, 1, 1), date(sheet.year, 12, 31)
        same = [i for i in programme.indicators.values() if i.indicator == sheet.sheet and sheet.indicator is None]
        ours = [i.key for i in same if any(map(programme.head.rules[i.rules].in_force.holds, year))]
        if ours:
            facts = {"name": name, "ours": ", ".join(ours)}
            hint = "name one of: {ours}"
            yield Problem(sheet.at, 'the sheet "{name}" names no indicator', hint=hint, facts=facts)
