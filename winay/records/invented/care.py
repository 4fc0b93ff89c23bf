"""What invented people received, and on which day: the standards followed, more or less in time."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from winay.core.ages import Age, after
from winay.programme.schedule import Schedule
from winay.programme.standards import Anchor
from winay.records.invented.people import NEVER, Days, Floats, World
from winay.records.invented.plan import Care

MONTHS = 30
"""Visits of one month of age share their lateness, so that what is owed together is given together."""


def cared_for(world: World) -> Iterator[tuple[Care, int, str, Days]]:
    """All care in the order of the plan: which, the number of the delivery, the service it proves, a day for each person."""
    people, given = world.people, dict[str, Days]()
    pace = world.dice.normal(size=(len(people), MONTHS)) - 0.5 * people["family"].to_numpy()[:, None]
    for care in world.plan.care:
        if not care.standard:
            for k, path in enumerate(care.on, start=1):
                yield care, k, care.service or "", np.where(world.happens(people, care), given[path], NEVER)
            continue
        schedule = world.programme.schedules[care.standard]
        for k, days in enumerate(_followed(world, care, schedule, given, pace), start=1):
            path = f"{care.standard}/{k}"
            given[path] = np.minimum(days, given.get(path, NEVER))
            yield care, k, care.service or schedule.deliveries[k - 1].service, days


def _followed(world: World, care: Care, schedule: Schedule, given: Mapping[str, Days], pace: Floats) -> Iterator[Days]:
    """The day of each delivery, NEVER where it was not given."""
    people, number = world.people, np.arange(len(world.people))
    anchor = given[care.since] if care.since else _anchor(people, schedule)
    before = np.full(len(people), -NEVER)
    for k, delivery in enumerate(schedule.deliveries):
        age = care.planned[k] if k < len(care.planned) else delivery.age.from_
        gap = min((gap.clock.from_ for gap in delivery.gaps), default=Age())
        start = np.maximum(after(age, anchor, schedule.month_end), after(gap, before))
        month = np.abs(start - people["birth"].to_numpy()) // 30 % MONTHS
        day = (start + care.late * np.exp(world.plan.spread * pace[number, month])).astype(np.int32)
        got = world.happens(people, care) & (people["kind"] == schedule.subject) & (day <= people["last"])
        yield np.where(got, day, NEVER).astype(np.int32)
        before = np.where(got, day, before)


def _anchor(people: pd.DataFrame, schedule: Schedule) -> Days:
    """The day ages are counted from: the birth, or so many times an age before it."""
    birth: Days = people["birth"].to_numpy()
    if not isinstance(schedule.anchor, Anchor) or schedule.anchor.back is None:
        return birth
    times = people[schedule.anchor.times or ""].astype(np.int32).to_numpy()
    anchor: Days = birth - np.int32(schedule.anchor.back.days) * times
    return anchor
