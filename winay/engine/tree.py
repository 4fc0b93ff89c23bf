"""The place tree as it stands on a day; older and newer codes are placed on it, so that totals are conserved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from winay.core.problems import WinayError, unknown_name


@dataclass(frozen=True)
class Place:
    code: str
    name: str
    level: str
    parent: str | None
    since: date | None
    until: date | None
    predecessors: tuple[str, ...] = ()

    def stands(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class Tree:
    """All places ever in force, by code."""

    places: dict[str, Place]

    @classmethod
    def of(cls, rows: Iterable[dict[str, Any]]) -> "Tree":
        """rows: dicts with place, name, level, parent, since, until, predecessors (`;` between codes)."""
        made = [
            Place(r["place"], r["name"] or r["place"], r["level"], r["parent"], r["since"], r["until"],
                  tuple(filter(None, (r["predecessors"] or "").split(";"))))
            for r in rows
        ]  # fmt: skip
        return cls({place.code: place for place in made})

    @cached_property
    def _successors(self) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        for place in sorted(self.places.values(), key=lambda p: p.code):
            for before in place.predecessors:
                result.setdefault(before, []).append(place.code)
        return result

    def on(self, code: str | None, day: date) -> str | None:
        """The place in force on a day where a code counts: itself, what it came from, or what came of it.

        A district that was split counts, under its old code, in the successor of the same name, else the first.
        None for a code nobody knows.
        """
        seen: set[str] = set()
        while code in self.places and code not in seen:
            seen.add(code)
            place = self.places[code]
            if place.stands(day):
                return code
            gone = place.until is not None and place.until < day
            options = self._successors.get(code, []) if gone else list(place.predecessors)
            same = [o for o in options if o in self.places and self.places[o].name == place.name]
            code = next(iter(same or options), None)
        return next(iter(seen), None)

    def ancestors(self, code: str | None) -> list[str]:
        """The place and everything above it, lowest first."""
        chain: list[str] = []
        while code in self.places and code not in chain:
            chain.append(code)
            code = self.places[code].parent
        return chain

    def above(self, code: str | None, day: date) -> list[str]:
        """The places a code counts in on a day, lowest first; none for a code nobody knows."""
        key = code or "", day
        if key not in self._above:
            self._above[key] = self.ancestors(self.on(code, day))
        return self._above[key]

    @cached_property
    def _above(self) -> dict[tuple[str, date], list[str]]:
        return {}

    def eras(self, days: tuple[date, ...]) -> list[list[date]]:
        """Days, in order, in runs during which the tree is the same."""
        if days not in self._eras:
            told = [[place.stands(day) for place in self.places.values()] for day in days]
            runs: list[list[date]] = []
            for n, day in enumerate(days):
                if n == 0 or told[n] != told[n - 1]:
                    runs.append([])
                runs[-1].append(day)
            self._eras[days] = runs
        return self._eras[days]

    @cached_property
    def _eras(self) -> dict[tuple[date, ...], list[list[date]]]:
        return {}

    def below(self, code: str, day: date) -> set[str]:
        """Every code, of any time, that counts in a place on a day. Raises WinayError for a place nobody knows."""
        if code not in self.places:
            raise WinayError(unknown_name(None, "place", code, self.places), status=2)
        return {c for c in self.places if code in self.above(c, day)}

    @cached_property
    def root(self) -> str | None:
        return next((p.code for p in self.places.values() if p.parent is None and p.until is None), None)
