"""Month masks, compiled: made of spells of days, and counted."""

from typing import Any

import numpy as np

from winay.core.ages import MonthEnd, after
from winay.engine.compiled import jit
from winay.engine.judging import OF_MONTHS, Calendar, Days, Mask, When
from winay.programme.indicators import Indicator


@jit
def before(when: When, subject: int, day: int) -> int:
    """The months judged before a day."""
    if len(when.own):
        return when.every if when.own[subject] < day else 0
    return when.table[min(max(day - when.first, 0), len(when.table) - 1)]  # type: ignore[no-any-return]


@jit
def between(starts: Days, ends: Days, subjects: Any, when: When) -> Mask:
    """One mask a spell: the months judged on a day in [start, end). subjects: whose `own` days."""
    result = np.empty(len(starts), np.int32)
    for i in range(len(starts)):
        result[i] = before(when, subjects[i], ends[i]) & ~before(when, subjects[i], starts[i])
    return result


def cohort(indicator: Indicator, births: Days, calendar: Calendar, when: When, month_end: MonthEnd) -> Mask:
    """The months in whose cohort a subject born on each day is, by age or episode alone."""
    if indicator.kind not in OF_MONTHS:
        return calendar.month_of(when.own)
    low, high = (after(age, births, month_end) for age in indicator.age)  # type: ignore[union-attr]
    mask: Mask = between(low, high, np.arange(len(births)), when)
    return mask


def born_in_year(births: Days, when: When) -> Mask:
    """The months judged in the calendar year of birth."""
    ends = (births.astype("datetime64[D]").astype("datetime64[Y]") + 1).astype("datetime64[D]").astype(np.int32)
    mask: Mask = between(births.copy(), ends, np.arange(len(births)), when)
    return mask


@jit
def count(group: Any, met: Any, denominator: Any, excluded: Any, groups: int, months: int) -> Any:
    """int64 [group, month, count]."""
    counts = np.zeros((groups, months, 3), np.int64)
    for row in range(len(group)):
        for month in range(months):
            if (met[row] | denominator[row] | excluded[row]) >> month & 1:
                counts[group[row], month, 0] += met[row] >> month & 1
                counts[group[row], month, 1] += denominator[row] >> month & 1
                counts[group[row], month, 2] += excluded[row] >> month & 1
    return counts


@jit
def add(pairs: Any, counts: Any, lifted: Any, first: int, last: int) -> None:
    """Adds the counts of some months of each place to each place above it; pairs: (from, to)."""
    for n in range(len(pairs)):
        for key in range(counts.shape[1]):
            for month in range(first, last):
                for which in range(3):
                    lifted[pairs[n, 1], key, month, which] += counts[pairs[n, 0], key, month, which]
