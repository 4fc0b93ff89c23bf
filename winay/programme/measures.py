"""How measured values are read: named rule sets for haemoglobin, each with its altitude and its cut-offs."""

from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from winay.programme.legal import Legal, Words
from winay.programme.written_age import WrittenAge
from winay.programme.yaml_text import Listed, Written


class CutOff(Written):
    """Adjusted g/dL below which somebody of an age in [from, below) has anaemia, moderate and severe anaemia."""

    subject: str = "child"
    age: tuple[WrittenAge, WrittenAge]
    anaemia: Decimal
    moderate: Decimal | None = None
    severe: Decimal | None = None


class Haemoglobin(Written):
    """One rule set. Series under two rule sets are never one series.

    steps: [metres from which, g/dL to take off]; curve: [a, b] of a x metres + b x metres², from `curve_from` metres on.
    """

    haemoglobin: str = Field(pattern=r"^\S+$")
    name: Words
    steps: list[tuple[Decimal, Decimal]] | None = None
    curve: tuple[Decimal, Decimal] | None = None
    curve_from: Decimal = Decimal(0)
    cut_offs: Listed[CutOff]
    legal: Legal

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.steps) == bool(self.curve):
            raise ValueError("a rule set for haemoglobin has `steps` or a `curve`")
        return self
