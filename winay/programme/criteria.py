"""Conditions on one subject: the trees of packages, of `who`, of exclusions (design 4.3)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from winay.programme.legal import Words
from winay.programme.yaml_text import Listed, Written

KINDS = (
    "all_of", "any_of", "at_least", "up_to_date", "received", "on_time", "package", "event", "enrolled", "born_in", "attribute",
)  # fmt: skip
TESTS = ("is_", "in_", "from_", "to", "below", "only", "any_")


class AtLeast(Written):
    n: int = Field(ge=1)
    of: list["Criterion"]


class Criterion(Written):
    """One condition: exactly one kind is written, with the keys that belong to it.

    up_to_date, received, on_time: a standard (`received` and `on_time` also `standard/k`); event: it has happened;
    enrolled: a spell of that programme is open; born_in: `year`, the calendar year of the judging day;
    attribute: a test and what a missing value means, which official sheets decide differently.
    """

    all_of: list["Criterion"] | None = None
    any_of: list["Criterion"] | None = None
    at_least: AtLeast | None = None
    up_to_date: str | None = None
    received: str | None = None
    on_time: str | None = None
    package: str | None = None
    event: str | None = None
    enrolled: str | None = None
    born_in: Literal["year"] | None = None
    attribute: str | None = None
    is_: str | None = Field(None, alias="is")
    in_: Listed[str] | None = Field(None, alias="in")
    from_: str | None = Field(None, alias="from")
    to: str | None = None
    below: str | None = None
    only: Listed[str] | None = None
    any_: Listed[str] | None = Field(None, alias="any")
    missing: Literal["in", "out"] | None = None
    name: str | None = None
    says: Words | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"a criterion says exactly one of {', '.join(KINDS)}; found {', '.join(kinds) or 'none'}")
        tests = [test for test in TESTS if getattr(self, test) is not None]
        if kinds == ["attribute"] and (not tests or self.missing is None):
            raise ValueError(
                "an attribute needs a test (is, in, from, to, below, only, any) and `missing: in` or `out`"
            )
        if kinds != ["attribute"] and (tests or self.missing):
            raise ValueError(f"{kinds[0]} takes no test of a value")
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def children(self) -> list["Criterion"]:
        return self.all_of or self.any_of or (self.at_least.of if self.at_least else [])
