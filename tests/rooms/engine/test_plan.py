"""What the plan holds, and the days ages are counted from."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from winay.core.ages import day_of, days_of
from winay.engine.kernel import receive
from winay.engine.plan import AT_END, NO_DAY, NO_LIMIT, NONE, Plan, compile, event_schedule
from winay.engine.units import given_anchors
from winay.programme.indicators import Event
from winay.programme.schedule import schedule
from winay.programme.standards import Standard

FIRST, LAST = days_of(date(2023, 1, 1)), days_of(date(2025, 12, 31))
EVENT = event_schedule("seen", Event.model_validate({"service": "a", "age": ["10d", "20d"]}))


def plan(*standards: dict[str, Any]) -> Plan:
    made = [schedule(Standard.model_validate({"service": "a"} | standard)) for standard in standards]
    return compile([*made, EVENT], {"a": 0, "b": 1}, FIRST, LAST)


def one(plan: Plan, born: date, days: list[date], **more: Any) -> Any:
    births, records = np.array([days_of(born)], np.int32), np.array([days_of(day) for day in days], np.int32)
    anchors = given_anchors(plan, "child", births, {})
    return receive(plan, births, anchors, np.array([0, len(days)]), np.zeros(len(days), np.int16), records, **more)


def test_hands_by_day_of_the_anchor() -> None:
    """Days from the anchor: a month from 31 January is 28 days in 2023 and 29 in 2024."""
    found = plan({"standard": "s", "deliveries": [{"by": "1m"}, {}, {"by": "end"}]})
    columns = found.standards["s"][0].deliveries
    for year, month in ((2023, 28), (2024, 29)):
        assert list(found.by[days_of(date(year, 1, 31)) - FIRST, columns]) == [month, NO_LIMIT, AT_END]


def test_standards_come_after_what_they_refer_to() -> None:
    second = {"standard": "second", "deliveries": [{"gaps": [{"since": "first/1"}]}], "anchor": {"event": "seen"}}
    found = plan(second, {"standard": "first", "deliveries": [{}]})
    assert [track.name for track in found.tracks] == ["event:seen", "first", "second"]


def test_an_event_as_anchor() -> None:
    """Nine months and more after the event, not after birth."""
    found = plan({"standard": "s", "anchor": {"event": "seen"}, "deliveries": [{"from": "9d", "by": "30d"}]})
    got = one(found, date(2024, 1, 1), [date(2024, 1, 5), date(2024, 1, 15), date(2024, 1, 24)])
    assert got.received.tolist() == [[14, 23]]
    assert day_of(got.anchors[0, found.standards["s"][0].number]) == date(2024, 1, 15)
    assert one(found, date(2024, 1, 1), [date(2024, 1, 5)]).received.tolist() == [[NONE, NONE]]


def test_released_is_told_by_unit() -> None:
    line = {"not_owed_when": [{"age": "> 30d"}, {"age": ">= 1m"}]}
    found = plan({"standard": "s", "deliveries": [{}, line]})
    got = one(found, date(2024, 2, 1), [])
    assert list(found.released_in) == [-1, 0, -1]
    assert got.released.tolist() == [[29]]


def test_records_after_the_cut_are_not_seen() -> None:
    found = plan({"standard": "s", "deliveries": [{}]})
    day = date(2024, 1, 15)
    for cut, received in ((day, 14), (date(2024, 1, 14), NONE)):
        assert one(found, date(2024, 1, 1), [day], cut=np.array([days_of(cut)], np.int32)).received[0, 1] == received


def test_days_outside_the_plan_are_refused() -> None:
    found = plan({"standard": "s", "deliveries": [{}]})
    with pytest.raises(ValueError, match="outside the days of the plan"):
        one(found, date(2024, 1, 1), [date(2026, 1, 1)])
    with pytest.raises(ValueError, match="32000 days"):
        compile([EVENT], {"a": 0}, 0, 40_000)


def test_looking_back_to_a_monday() -> None:
    """40 weeks before Friday 2024-12-20 is a Friday; the Monday before it is 11 March. No weeks, no anchor."""
    anchor = {"back": "7d", "times": "weeks", "to_weekday": "monday"}
    found = plan({"standard": "s", "subject": "pregnancy", "anchor": anchor, "deliveries": [{}]})
    births = np.array([days_of(date(2024, 12, 20))] * 2, np.int32)
    days = given_anchors(found, "pregnancy", births, {"weeks": np.array([40, np.nan])})
    number = found.standards["s"][0].number
    assert day_of(days[0, number]) == date(2024, 3, 11)
    assert days[1, number] == NO_DAY
    assert (given_anchors(found, "child", births, {})[:, number] == NO_DAY).all()
