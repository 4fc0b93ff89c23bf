"""Series that others published: surveys, surveillance, targets, budgets. Shown beside our figures, never mixed with them."""

from typing import Annotated, Literal

from pydantic import Field

from winay.programme.legal import Words
from winay.programme.yaml_text import Named, Names, Written


class Series(Written):
    """One published series, or all whose key begins so (`fed-meta-*`: the rest is the code of what each measures).

    measures: the sheet or indicator it gives the official value of, or one under its rules (`CODE@RULES`); target: what
    is aimed at, not what was found; units: code -> its own unit, where it is not `unit`.
    """

    series: str = Field(pattern=r"^[\w.-]+\*?$")
    name: Words
    measures: Annotated[str | None, Names("sheet, indicator or indicator@rules")] = None
    target: bool = False
    unit: str
    units: Named[str] = {}
    better: Literal["higher", "lower"] | None = None
    issuer: str
    date: str
    carrier: str | None = None
    licence: str | None = None
    caveat: Words
    confidence: Literal["official", "third-party", "proposed"]

    def holds(self, key: str) -> bool:
        """Does this describe the series of that key?"""
        return key.startswith(self.series[:-1]) if self.series.endswith("*") else key == self.series

    def unit_of(self, key: str) -> str:
        """In what the values of that key are."""
        return self.units.get(self.measured(key) or "", self.unit)

    def measured(self, key: str) -> str | None:
        """The code whose official value the series of that key gives."""
        return self.measures or (key[len(self.series) - 1 :] if self.series.endswith("*") else None)
