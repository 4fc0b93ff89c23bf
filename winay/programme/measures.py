"""What a measured value proves: growth under the WHO standards, haemoglobin under named rule sets."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from winay.core.text import say
from winay.programme.legal import Legal, Words
from winay.programme.written_age import WrittenAge
from winay.programme.yaml_text import Listed, Names, Written, only_one

Severity = Literal["anaemia", "moderate", "severe"]


class CutOff(Written):
    """Adjusted g/dL below which a child of an age in [from, below) has anaemia, moderate and severe anaemia."""

    age: tuple[WrittenAge, WrittenAge]
    anaemia: Decimal
    moderate: Decimal | None = None
    severe: Decimal | None = None


class Haemoglobin(Written):
    """One rule set for haemoglobin. Series under two rule sets are never one series.

    steps: [metres from which, g/dL to take off]; curve: [a, b] of a x metres + b x metres², from `curve_from` metres on;
    altitude: the attribute of the place of residence that tells the metres.
    """

    haemoglobin: str = Field(pattern=r"^\S+$")
    name: Words
    altitude: Annotated[str, Names("attribute of the place")] = "altitude"
    steps: list[tuple[Decimal, Decimal]] | None = None
    curve: tuple[Decimal, Decimal] | None = None
    curve_from: Decimal = Decimal(0)
    cut_offs: Listed[CutOff]
    legal: Legal

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        only_one(self, "steps", "curve")
        return self


class Measure(Written):
    """A service that a measurement proves: that there is one that can be used, or that it lies past a limit.

    of: height for age, weight for age, weight for height (z-scores) or haemoglobin, whose limit is a severity of `rules`.
    """

    of: Literal["haz", "waz", "whz", "haemoglobin"]
    rules: Annotated[str | None, Names("haemoglobin")] = None
    below: Decimal | Severity | None = None
    above: Decimal | None = None
    name: Words
    product: Annotated[str | None, Names("product")] = None
    legal: Legal

    @model_validator(mode="after")
    def _limit_fits(self) -> Self:
        blood = self.of == "haemoglobin"
        if blood != (self.rules is not None) or (blood and (self.above is not None or isinstance(self.below, Decimal))):
            raise ValueError(
                say("haemoglobin has `rules` and is `below` anaemia, moderate or severe; scores have numbers")
            )
        return self
