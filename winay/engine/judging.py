"""The days a subject is judged on, and which months each of them belongs to.

A verdict for 24 months is one integer: bit *m* is month *m*, oldest first. All of, any of and not are then `&`, `|` and
`^ every` on whole columns, the same on every backend.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from winay.core.ages import Age, MonthEnd, after, days_of
from winay.core.periods import Month, judged_on, months_back
from winay.programme.indicators import Indicator

Days = NDArray[np.int32]
Mask = NDArray[np.int32]
FAR = 2**30
"""A day that never comes."""
NO_DAYS = np.empty(0, np.int32)


class When(NamedTuple):
    """The judging days as compiled code sees them: one a subject (`own`), or where that is empty the same for all.

    table[day - first]: the bits of the judging days strictly before `day`.
    """

    own: Days
    table: Mask
    first: int
    every: int


@dataclass(frozen=True)
class Calendar:
    """The months asked for, and the day each is judged on; the last one may be provisional."""

    on: date
    months: tuple[Month, ...]

    @classmethod
    def back_from(cls, on: date, count: int = 24) -> "Calendar":
        """At most 30 months fit into the bits of an int32."""
        return cls(on, tuple(months_back(on, min(count, 30))))

    @property
    def all(self) -> int:
        return (1 << len(self.months)) - 1

    @cached_property
    def days(self) -> Days:
        return np.array([days_of(judged_on(month, self.on)) for month in self.months], np.int32)

    @cached_property
    def starts(self) -> Days:
        return np.array([days_of(month.first) for month in self.months], np.int32)

    def provisional(self, month: Month) -> bool:
        return month.last > self.on

    @cached_property
    def shared(self) -> When:
        """All are judged on the days of the months."""
        span = np.arange(self.days[0], self.days[-1] + 2, dtype=np.int32)
        bits = (self.days < span[:, None]) @ (1 << np.arange(len(self.days), dtype=np.int64))
        return When(NO_DAYS, bits.astype(np.int32), int(span[0]), self.all)

    def month_of(self, days: Days) -> Mask:
        """The bit of the month that contains each day; 0 outside the months or after the judging day."""
        index = np.searchsorted(self.starts, days, side="right") - 1
        inside = (index >= 0) & (days <= days_of(self.on))
        return np.where(inside, np.left_shift(1, np.maximum(index, 0)), 0).astype(np.int32)


@dataclass(frozen=True, order=True)
class JudgingDay:
    """Months' ends for everybody, the day an `age` is reached, or the `end` of an episode."""

    kind: str
    age: Age | None = None

    def when(self, births: Days, calendar: Calendar, month_end: MonthEnd) -> When:
        if self.kind == "months":
            return calendar.shared
        own = births if self.age is None else after(self.age, births, month_end)
        return calendar.shared._replace(own=own.copy())


OF_MONTHS = ("cross-section", "prevalence", "ratio")
"""Kinds of indicator whose cohort are those of an age on the judging day of each month."""


def judging_day(indicator: Indicator) -> JudgingDay:
    if indicator.kind in OF_MONTHS:
        return JudgingDay("months")
    return JudgingDay("end") if indicator.kind == "episode" else JudgingDay("age", indicator.age)  # type: ignore[arg-type]
