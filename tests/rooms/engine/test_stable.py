"""Which standards can be evaluated once for every judging day; tests/generated proves it on random ones."""

from typing import Any

import pytest

from winay.engine.stable import prefix_stable
from winay.programme.schedule import schedule
from winay.programme.standards import Standard

OTHERS = {"settled": True, "unsettled": False, "event:seen": True}
NOT_BEFORE = [{"since": "previous", "from": "10d"}]


def stable(**written: Any) -> bool:
    return prefix_stable(schedule(Standard.model_validate({"standard": "s", "service": "a"} | written)), OTHERS)


@pytest.mark.parametrize(
    ("why", "deliveries"),
    [
        ("nothing opens earlier than what is before it", [{"from": "1m"}, {"from": "1m", "gap": "4w"}]),
        ("the first closes before the second opens", [{"from": "0d", "by": "29d", "gap": "9d"}, {"from": "30d"}]),
        ("a gap of all", [{"gaps": NOT_BEFORE}, {"gaps": NOT_BEFORE}]),
        ("the first waits for nobody", [{}, {"gaps": [{"since": "settled/1", "from": "10d"}]}]),
        ("what is not owed takes no record, now or later", [{"not_owed_when": {"started": "settled"}}, {}]),
    ],
)
def test_stable(why: str, deliveries: list[Any]) -> None:
    assert stable(deliveries=deliveries), why


@pytest.mark.parametrize(
    ("why", "deliveries"),
    [
        (
            "records on 14, 19, 30: the one of 19 is first of the third, later of the second",
            [{}, {"gap": "10d"}, {"gap": "1d"}],
        ),
        ("the second opens before the first", [{"from": "60d"}, {"from": "30d"}]),
        ("one month is longer than 30 days, but not than February", [{"from": "1m"}, {"from": "30d"}]),
        ("each has its own records", [{"service": "a"}, {"service": "b"}]),
        ("only the first asks for distance from any record", [{"gaps": NOT_BEFORE}, {}]),
        (
            "a gap that ends is measured from a record that can change",
            [{"gaps": [{"since": "previous", "until": "9d"}]}, {}],
        ),
        ("the first waits for another standard", [{"gaps": [{"since": "settled/1"}]}, {}]),
        ("it may count a record before the other's is known", [{"gaps": [{"since": "settled/1", "valid": "0d - 4d"}]}]),
        ("what it refers to is not", [{"gaps": [{"since": "unsettled/1"}]}]),
        ("what releases it is not", [{"not_owed_when": {"started": "unsettled"}}]),
    ],
)
def test_not_stable(why: str, deliveries: list[Any]) -> None:
    assert not stable(deliveries=deliveries), why


def test_a_chain_and_a_sequence_always_are() -> None:
    falling = [{"from": "60d"}, {"from": "30d"}]
    assert stable(match="chain", deliveries=falling)
    assert stable(in_sequence="true", deliveries=falling)


def test_what_starts_at_an_event_is_as_stable_as_the_event() -> None:
    assert stable(anchor={"event": "seen"}, deliveries=[{}])
    assert not stable(anchor={"delivery": "unsettled/1"}, deliveries=[{}])
