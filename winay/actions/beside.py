"""Beside a figure: what others published of the same thing, and what happened there. It changes no number and no verdict."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import product
from typing import Any

from winay.actions.opening import promised
from winay.core.periods import Month
from winay.core.problems import WinayError, unknown_name
from winay.engine.conditions import fold_of, walk
from winay.engine.tree import Tree
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.records import beside
from winay.workspace import Workspace

Row = dict[str, Any]
VALUE = ("period", "value", "low", "high", "numerator", "denominator")


@dataclass(frozen=True)
class Beside:
    """What a workspace knew on a day beside its figures.

    A published value is a row with the keys series, title, indicator (the code that it measures), target, unit, issuer,
    date (when it was published), caveat, place, name, period, value, low, high, numerator, denominator.
    """

    ws: Workspace
    day: date

    def context(self, place: str | None, month: Month, products: Collection[str] | None = None) -> list[Row]:
        """What touched a place in a month: it happened then, there, or somewhere above or below in the tree.

        products: of a figure; what touched another product alone is left out (None: of any product). Keys: place, name,
        provider, product, since, until, kind, note.
        """
        return [
            event | {"name": self.name(event["place"])}
            for event in self._events
            if event["since"] <= month.last
            and (event["until"] is None or month.first <= event["until"])
            and (products is None or event["product"] is None or _counts(event["product"], products))
            and self._near(event["place"], place, month.last)
        ]

    def published(self, code: str, place: str, month: Month) -> list[Row]:
        """Of each series that measures a code, or one `code@rules`: the last value up to a month; of a target the first
        from the month on."""
        found = []
        for series in self.measuring.get(code, ()):
            rows = self._values.get((series, place), [])
            past = [row for row in rows if row["period"] <= str(month)[: len(row["period"])]]
            ahead = [row for row in rows if row["period"] >= str(month)[: len(row["period"])]]
            found += ahead[:1] if rows and rows[0]["target"] else past[-1:]
        return found

    def targets(self, place: str, months: Iterable[Month]) -> dict[str, dict[str, float]]:
        """Code -> month (`2026-05`) -> the share aimed at (0 to 1): of targets in per cent, the next one of that year that
        was published for the place itself. A year without one has none: nobody is held to a later target."""
        found: dict[str, dict[str, float]] = {}
        for code, month in product(self.measuring, months):
            for row in self.published(code, place, month):
                if row["target"] and row["unit"] == "%" and row["period"][:4] == str(month)[:4]:
                    found.setdefault(code, {})[str(month)] = row["value"] / 100
        return found

    def series(self, name: str, place: str | None = None) -> list[Row]:
        """The published values of a series, or of all that measure a code; with a place, those in it.

        Raises WinayError (wrong use) for what is neither, and for a place nobody knows.
        """
        keys = self.measuring.get(name, [name])
        within = self.tree.below(place, self.day) if place else None
        found = [rows for (key, where), rows in self._values.items() if key in keys and (not within or where in within)]
        known = {*self.measuring, *(key for key, _ in self._values)}
        if name not in known:
            raise WinayError(unknown_name(None, "published series", name, known), status=2)
        return [row for rows in found for row in rows]

    def listing(self) -> list[Row]:
        """One row a series: what the programme says of it, how many values it has, its first and last period."""
        periods: dict[str, list[str]] = {}
        for (key, _), rows in self._values.items():
            periods.setdefault(key, []).extend(row["period"] for row in rows)
        return [
            self._said(key) | {"values": len(found), "first": min(found), "last": max(found)}
            for key, found in periods.items()
        ]

    def name(self, place: str | None) -> str | None:
        return self.tree.places[place].name if place in self.tree.places else place

    @cached_property
    def tree(self) -> Tree:
        return Tree.of(beside.places_on(self.ws, self._programme, self.day))

    @cached_property
    def _programme(self) -> Programme:
        return promised(self.ws)

    @cached_property
    def _events(self) -> list[Row]:
        return beside.happened(self.ws, self._programme, self.day)

    @cached_property
    def _values(self) -> dict[tuple[str, str], list[Row]]:
        """Series and place -> the values, by period."""
        found: dict[tuple[str, str], list[Row]] = {}
        told: dict[tuple[str, bool], Row] = {}
        for row in beside.published(self.ws, self._programme, self.day):
            key = row["series"], row["known"] is not None
            told[key] = said = told.get(key) or self._said(*key)
            value = {"place": row["place"], "name": self.name(row["place"])} | {name: row[name] for name in VALUE}
            day = {"date": str(row["published"] or row["known"])} if row["known"] else {}
            found.setdefault((row["series"], row["place"]), []).append(said | day | value)
        return found

    @cached_property
    def measuring(self) -> dict[str, list[str]]:
        """Code -> the series that measure it."""
        codes = {key: rows[0]["indicator"] for (key, _), rows in self._values.items()}
        return {code: [key for key, of in codes.items() if of == code] for code in codes.values() if code}

    def _said(self, key: str, loaded: bool = False) -> Row:
        """What the programme says of a series, or of the values of it that were loaded."""
        said = self._programme.series_of(key, loaded)
        return {
            "series": key,
            "title": str(said.name) if said else key,
            "indicator": said.measured(key) if said else None,
            "target": bool(said and said.target),
            "unit": said.unit_of(key) if said else "",
            "issuer": said.issuer if said else "",
            "date": said.date if said else "",
            "caveat": str(said.caveat) if said else "",
        }

    def _near(self, a: str | None, b: str | None, day: date) -> bool:
        """Is one of the places in the other? None is everywhere."""
        return a is None or b is None or a == b or a in self.tree.above(b, day) or b in self.tree.above(a, day)


def _counts(product: str, among: Collection[str]) -> bool:
    """Is a product, or a part of it (`3033254/polio` of `3033254`), among these?"""
    return any(one == product or one.startswith(f"{product}/") for one in among)


def official_only(programme: Programme, name: str) -> bool:
    """Is it the code of a sheet, or of what a series measures, that no indicator of ours computes?"""
    code = name.partition("@")[0]
    codes = {sheet.sheet for sheet in programme.sheets.values()} | {s.measures for s in programme.series.values()}
    return code in codes - {indicator.indicator for indicator in programme.indicators.values()}


def official(
    ws: Workspace, day: date, name: str, *, by: str | None = None, period: str | None = None, place: str | None = None
) -> list[Row]:
    """The published values of a code as known on a day: of the root or of the place; with `by` of a level, in the place.

    period: a month or a year. Raises WinayError (wrong use) for a level or place nobody knows.
    """
    known, levels, code = Beside(ws, day), promised(ws).head.levels, name.partition("@")[0]
    if by and by not in levels:
        raise WinayError(unknown_name(None, "level", by, levels), status=2)
    rows, tree = known.series(code, place) if code in known.measuring else [], known.tree.places
    if by:
        rows = [row for row in rows if row["place"] in tree and tree[row["place"]].level == by]
    else:
        rows = [row for row in rows if row["place"] == (place or known.tree.root)]
    return [row for row in rows if row["period"].startswith(period or "")]


def with_beside(ws: Workspace, rows: list[Row]) -> list[Row]:
    """Rows of `figures`, each with what was `published` of it and its `context`, as known on the day of the figure."""
    if not rows:
        return rows
    programme, known = promised(ws), Beside(ws, rows[0]["known_on"])
    codes = rows[0]["indicator"], f"{rows[0]['indicator']}@{rows[0]['rules']}"
    products = products_of(programme, programme.indicators[codes[1]])
    told = []
    for row in rows:
        month = Month.parse(row["period"])
        told.append(
            row
            | {"published": [value for code in codes for value in known.published(code, row["place"], month)]}
            | {"context": known.context(row["place"], month, products)}
        )
    return told


def products_of(programme: Programme, indicator: Indicator) -> set[str]:
    """The products whose delivery an indicator counts."""
    folds = filter(None, map(fold_of, walk(indicator.met, programme)))
    rules = [programme.standards[fold.standard] for fold in folds if fold.standard in programme.standards]
    return {product for product in (indicator.product, *(rule.product for rule in rules)) if product}
