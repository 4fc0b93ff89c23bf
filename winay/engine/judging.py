"""The days a subject is judged on, and which months each of them belongs to.

A verdict for 24 months is one integer: bit *m* is month *m*, oldest first. All of, any of and not are then `&`, `|` and
`^ ALL` on whole columns, the same on every backend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from winay.core.ages import Age, MonthEnd, after, days_of
from winay.core.periods import Month, judged_on, months_back
from winay.programme.indicators import Indicator

Days = NDArray[np.int32]
Mask = NDArray[np.int32]
FAR = 2**30
"""A day that never comes."""


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

    def provisional(self, month: Month) -> bool:
        return month.last > self.on

    @cached_property
    def before(self) -> tuple[Mask, int]:
        """(table, first): `table[day - first]` has the bits of the judging days strictly before `day`; clip the index."""
        days = self.days
        first = int(days[0])
        span = np.arange(first, int(days[-1]) + 2, dtype=np.int32)
        bits = (days[None, :] < span[:, None]) @ (1 << np.arange(len(days), dtype=np.int64))
        return bits.astype(np.int32), first

    def bit_of(self, days: Days) -> Mask:
        """The bit of the month that contains each day; 0 outside the months or after the judging day."""
        starts = np.array([days_of(month.first) for month in self.months], np.int32)
        index = np.searchsorted(starts, days, side="right") - 1
        inside = (index >= 0) & (days <= days_of(self.on))
        return np.where(inside, np.left_shift(1, np.maximum(index, 0)), 0).astype(np.int32)


@dataclass(frozen=True, order=True)
class JudgingDay:
    """Months' ends for everybody (`age` None, not at the end), the day an age is reached, or the end of an episode."""

    kind: str
    age: Age | None = None

    @property
    def name(self) -> str:
        return self.kind if self.age is None else f"at_{self.age.months}m{self.age.days}d".replace("-", "n")

    def own(self, births: Days, month_end: MonthEnd) -> Days | None:
        """Each subject's own day; None where all share the months' days."""
        if self.kind == "months":
            return None
        return births if self.age is None else after(self.age, births, month_end)


def judging_day(indicator: Indicator) -> JudgingDay:
    if indicator.kind == "cross-section":
        return JudgingDay("months")
    return JudgingDay("end") if indicator.kind == "episode" else JudgingDay("age", indicator.age)  # type: ignore[arg-type]


def cohort(indicator: Indicator, births: Days, calendar: Calendar, month_end: MonthEnd) -> Mask:
    """The months in whose cohort a subject born on each day is, by age or episode alone."""
    own = judging_day(indicator).own(births, month_end)
    if own is not None:
        return calendar.bit_of(own)
    low, high = indicator.age  # type: ignore[misc]
    starts, ends = after(low, births, month_end), after(high, births, month_end)
    return between(starts, ends, calendar)


def between(starts: Days, ends: Days, calendar: Calendar) -> Mask:
    """The months judged on a day in [start, end)."""
    table, first = calendar.before
    return look_up(table, first, ends) & ~look_up(table, first, starts)


def look_up(table: Mask, first: int, days: Days) -> Mask:
    return table[np.clip(days.astype(np.int64) - first, 0, len(table) - 1)]


def born_in_year(births: Days, judged: JudgingDay, calendar: Calendar, month_end: MonthEnd) -> Mask:
    """The months judged in the calendar year of birth."""
    years = births.astype("datetime64[D]").astype("datetime64[Y]")
    own = judged.own(births, month_end)
    if own is not None:
        same = own.astype("datetime64[D]").astype("datetime64[Y]") == years
        return np.where(same, calendar.all, 0).astype(np.int32)
    ends = (years + 1).astype("datetime64[D]").astype(np.int32)
    return between(births, ends, calendar)


def lookback(indicator: Indicator, longest_episode: int) -> Age:
    """How far before its judging day an indicator reads records."""
    if indicator.kind == "cross-section":
        return indicator.age[1]  # type: ignore[index]
    return Age(0, longest_episode) if indicator.kind == "episode" else indicator.age  # type: ignore[return-value]


def judging_days(indicators: Sequence[Indicator]) -> list[JudgingDay]:
    return sorted(set(map(judging_day, indicators)), key=lambda j: j.name)
