"""Ages: sums of days, weeks, months and years, counted on the calendar."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, Self

from winay.core.text import say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MonthEnd = Literal["clip", "next"]
EPOCH = date(1970, 1, 1)
_AGE = re.compile(r"\s*[+-]?\s*\d+\s*[dwmy]\s*([+-]\s*\d+\s*[dwmy]\s*)*")
_TERM = re.compile(r"([+-]?)\s*(\d+)\s*([dwmy])")
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"m": 1, "y": 12}


@dataclass(frozen=True, order=True)
class Age:
    """A sum of calendar months and days. Months are stepped first, then days; neither becomes the other."""

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """`6m`, `12m - 1d`, `19m + 4w`. Raises ValueError for anything else."""
        if not _AGE.fullmatch(text):
            raise ValueError(say('"{text}" is not an age such as 60d, 4w, 12m - 1d', text=text))
        terms = [(int(sign + amount), unit) for sign, amount, unit in _TERM.findall(text)]
        months = sum(amount * _MONTHS.get(unit, 0) for amount, unit in terms)
        return cls(months, sum(amount * _DAYS.get(unit, 0) for amount, unit in terms))

    def after(self, day: date, month_end: MonthEnd = "clip") -> date:
        """The day this age is reached by who started on `day`.

        A day the month does not have becomes its last day (`clip`) or the first of the next month (`next`).
        """
        year, month = divmod(day.year * 12 + day.month - 1 + self.months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        over = max(0, day.day - last)
        stepped = date(year, month + 1, min(day.day, last))
        return stepped + timedelta(days=self.days + (1 if over and month_end == "next" else 0))

    def plus(self, other: "Age") -> "Age":
        return Age(self.months + other.months, self.days + other.days)

    def minus(self, other: "Age") -> "Age":
        return Age(self.months - other.months, self.days - other.days)

    def __str__(self) -> str:
        if not self.months:
            return f"{self.days}d"
        return f"{self.months}m" + (f" {'-' if self.days < 0 else '+'} {abs(self.days)}d" if self.days else "")


def days_of(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(days: int) -> date:
    return EPOCH + timedelta(days=int(days))


def after(age: Age, days: "NDArray[np.int32]", month_end: MonthEnd = "clip") -> "NDArray[np.int32]":
    """`Age.after` for a vector of days since 1970-01-01 (int32 in, int32 out)."""
    import numpy as np

    days = np.asarray(days)
    if not age.months:
        return (days + np.int32(age.days)).astype(np.int32)
    first, last = (int(days.min()), int(days.max())) if len(days) else (0, 0)
    if last - first < len(days) - 1:  # days that come again: each of their span is reckoned once
        return after(age, np.arange(first, last + 1, dtype=np.int32), month_end)[days - first]
    calendar_days = days.astype("datetime64[D]")
    months = calendar_days.astype("datetime64[M]")
    day_in_month = (calendar_days - months.astype("datetime64[D]")).astype(np.int64)
    target = months + age.months
    start = target.astype("datetime64[D]").astype(np.int64)
    length = (target + 1).astype("datetime64[D]").astype(np.int64) - start
    over = (day_in_month >= length) & (month_end == "next")
    reached: NDArray[np.int32] = (start + np.minimum(day_in_month, length - 1) + over + age.days).astype(np.int32)
    return reached
