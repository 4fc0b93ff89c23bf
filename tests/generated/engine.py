"""One generated world through the compiled engine and through the reference, in the same shape."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from tests.generated.strategies import SERVICES, Life, World
from tests.reference.evaluator import Row, evaluate
from winay.core.ages import days_of
from winay.engine.hands import statuses
from winay.engine.kernel import Received, receive
from winay.engine.plan import Plan, compile
from winay.engine.units import given_anchors
from winay.programme.schedule import Schedule
from winay.programme.standards import Anchor

FIRST, LAST = days_of(date(2019, 1, 1)), days_of(date(2022, 12, 31))
NUMBERS = {service: number for number, service in enumerate(SERVICES)}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Told = dict[tuple[str, int], Row]


class Compiled:
    """A world as arrays."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plan: Plan = compile(world.meant(), NUMBERS, FIRST, LAST)
        self.births = np.array([days_of(life.birth) for life in world.lives], np.int32)
        rows = [sorted((NUMBERS[s], days_of(day)) for s in SERVICES for day in life.records[s]) for life in world.lives]
        self.offsets = np.cumsum([0, *map(len, rows)])
        flat = np.array([row for some in rows for row in some], np.int32).reshape(-1, 2)
        self.services, self.days = flat[:, 0].astype(np.int16), np.ascontiguousarray(flat[:, 1])
        weeks = np.array([np.nan if life.weeks is None else life.weeks for life in world.lives])
        self.anchors = given_anchors(self.plan, "child", self.births, {"weeks": weeks})
        fits = [
            [route_fits(track.schedule, life)[track.route_number] for track in self.plan.tracks] for life in world.lives
        ]
        self.fits = np.array(fits, np.bool_)

    def receive(self, cut: date | None = None) -> Received:
        days = None if cut is None else np.full(len(self.births), days_of(cut), np.int32)
        return receive(self.plan, self.births, self.anchors, self.offsets, self.services, self.days, days, self.fits)

    def told(self) -> list[Told]:
        """For each life, every delivery of the routes that hold, as the engine says."""
        on = np.full(len(self.births), days_of(self.world.on), np.int32)
        table = statuses(self.plan, self.births, self.anchors, self.offsets, self.services, self.days, on, self.fits)
        result: list[Told] = [{} for _ in self.births]
        for row in table.to_pylist():
            hands = None if row["status"] == "exempt" else [row[h] for h in ("valid", "from", "due", "by", "until")]
            told = Row(row["delivery"], row["received"], row["status"], *(hands or []))
            result[row["subject"]][row["standard"], row["delivery"]] = told
        return result


def route_fits(schedule: Schedule, life: Life) -> list[bool]:
    return [route.who is None or life.fits[number % 2] for number, route in enumerate(schedule.routes)]


def by_reference(world: World, life: Life, on: date | None = None) -> Told:
    """The same, as the judge says."""
    on = on or world.on
    told: Told = {}
    others: dict[tuple[str, int], date | None] = {}
    for schedule in _in_order(world.meant()):
        rows = evaluate(
            schedule, _anchor(schedule, life, others), life.records, on, end=life.birth, others=others,
            route_fits=route_fits(schedule, life),
        )  # fmt: skip
        told |= {(schedule.name, row.delivery): row for row in rows}
        others |= {(schedule.name, row.delivery): row.received for row in rows}
    return told


def _in_order(schedules: list[Schedule]) -> Iterator[Schedule]:
    """Generated worlds list their standards so that each refers only to those before it."""
    yield from schedules


def _anchor(schedule: Schedule, life: Life, others: dict[tuple[str, int], date | None]) -> date | None:
    anchor = schedule.anchor
    if not isinstance(anchor, Anchor):
        return life.birth
    if anchor.event:
        return others.get((f"event:{anchor.event}", 1))
    if anchor.delivery:
        name, number = anchor.delivery.rsplit("/", 1)
        return others.get((name, int(number)))
    if life.weeks is None:
        return None
    day = life.birth - timedelta(weeks=life.weeks)
    while anchor.to_weekday and day.weekday() != WEEKDAYS.index(anchor.to_weekday):
        day -= timedelta(days=1)
    return day
