"""The months that figures are about."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self


@dataclass(frozen=True, order=True)
class Month:
    """One calendar month, written 2026-05."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError when the text is not YYYY-MM."""
        found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text)
        if not found:
            raise ValueError(f"{text!r} is not a month such as 2026-05")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return self.before(-1).first - timedelta(days=1)

    def before(self, months: int) -> "Month":
        """The month that lies `months` earlier (later when negative)."""
        year, month = divmod(self.year * 12 + self.month - 1 - months, 12)
        return Month(year, month + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def months_back(day: date, count: int = 24) -> list[Month]:
    """The `count` months that end with the one containing `day`, oldest first."""
    return [Month.of(day).before(count - 1 - i) for i in range(count)]


def judged_on(month: Month, day: date) -> date:
    """The day a month is judged on: its last day, or `day` when that comes first (then it is provisional)."""
    return min(month.last, day)
