"""Prefix stability: whether cutting the records at a day equals cutting the result at it (design 6)."""

from collections.abc import Mapping
from datetime import date

import numpy as np

from winay.core.ages import Age, MonthEnd, after, days_of
from winay.engine.plan import starts_at
from winay.programme.schedule import START, Delivery, GapClock, Limit, Schedule

FOUR_YEARS = np.arange(days_of(date(2020, 1, 1)), days_of(date(2024, 1, 1)), dtype=np.int32)
"""Every day an age can start on: month lengths repeat after four years."""


def prefix_stable(schedule: Schedule, others: Mapping[str, bool]) -> bool:
    """Whether one evaluation serves every judging day. `others`: which of those it refers to are stable, of one route.

    Stable: what it refers to is; no delivery can count a record before the one that opens it; and it is a chain, or in
    sequence, or no record that a delivery takes leaves an earlier one open to a later record (`Order.passes`).
    """
    start = starts_at(schedule.anchor)
    if start and not others[start[0]]:
        return False
    order = Order(schedule.month_end)
    return all(
        order.knows_in_time(route.deliveries, others) and (schedule.in_turn or order.never_looks_back(route.deliveries))
        for route in schedule.routes
    )


class Order:
    """Comparisons of deliveries and ages that hold on every day an age can start on."""

    def __init__(self, month_end: MonthEnd) -> None:
        self.month_end = month_end

    def never_above(self, low: Age, high: Age, strictly: bool = False) -> bool:
        if low.months <= high.months and low.days + strictly <= high.days:
            return True  # at a glance: stepping over more months never comes earlier
        a, b = after(low, FOUR_YEARS, self.month_end), after(high, FOUR_YEARS, self.month_end)
        return bool(np.all(a < b if strictly else a <= b))

    def knows_in_time(self, deliveries: tuple[Delivery, ...], others: Mapping[str, bool]) -> bool:
        """Whether what other standards received is settled, and known by the day of any record it lets through."""
        return all(others[release.started] for d in deliveries for release in d.releases if release.started) and all(
            others[gap.since[0]] and gap.ages is None and self.never_above(START, gap.clock.valid)
            for d in deliveries
            for gap in d.gaps
            if isinstance(gap.since, tuple)
        )

    def never_looks_back(self, deliveries: tuple[Delivery, ...]) -> bool:
        return all(self.passes(earlier, later) for k, later in enumerate(deliveries) for earlier in deliveries[:k])

    def passes(self, earlier: Delivery, later: Delivery) -> bool:
        """Whether no record can come to `earlier` after one that `later` took while `earlier` had none."""
        until = earlier.age.until
        if isinstance(until, Age) and self.never_above(until, later.age.valid, strictly=True):
            return True
        return (
            earlier.service == later.service
            and self.never_above(earlier.age.valid, later.age.valid)
            and all(self.covered(gap, later) for gap in earlier.gaps)
        )

    def covered(self, gap: GapClock, later: Delivery) -> bool:
        """Whether this gap of an earlier delivery lets through what `later` takes, or nothing after it."""
        harmless = self.never_above(gap.clock.valid, START)
        if gap.clock.until is None and harmless and not isinstance(gap.since, tuple):
            return True
        if gap.clock.until is not None and gap.ages is not None:
            return False
        if harmless and gap.since != "previous" and not isinstance(gap.since, tuple):
            return True
        return any(self.stricter(other, gap) for other in later.gaps)

    def stricter(self, one: GapClock, other: GapClock) -> bool:
        """Whether what `one` lets through, `other` does too, or nothing later. Only `previous` moves on by itself."""
        return (
            one.since == other.since
            and one.ages in (other.ages, None)
            and self.never_above(other.clock.valid, one.clock.valid)
            and (one.since != "previous" or self.closes_first(one.clock.until, other.clock.until))
        )

    def closes_first(self, one: Limit, other: Limit) -> bool:
        if isinstance(one, Age) and isinstance(other, Age):
            return self.never_above(one, other)
        return other is None or one == other
