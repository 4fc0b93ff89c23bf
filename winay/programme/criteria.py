"""Conditions on one subject: the trees of packages, of `who`, of exclusions (design 4.3)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from winay.core.ages import Age
from winay.core.text import say
from winay.programme.legal import Words
from winay.programme.written_age import InDays, WrittenAge
from winay.programme.yaml_text import Listed, Names, Written, only_one

KINDS = (
    "all_of", "any_of", "at_least", "up_to_date", "received", "on_time", "package", "event", "enrolled", "born_in",
    "seen", "latest", "attribute",
)  # fmt: skip
TESTS = ("is_", "in_", "from_", "to", "below", "only", "any_")


class AtLeast(Written):
    n: int = Field(ge=1)
    of: list["Criterion"]


class Stretch(Written):
    """The time that ends on the judging day and begins with its calendar year (`year`) or an age before it."""

    within: Literal["year"] | WrittenAge = "year"

    @property
    def length(self) -> Age | None:
        """None: the calendar year."""
        return self.within if isinstance(self.within, Age) else None


class Seen(Stretch):
    """At least `times` records of a service in the stretch, each `gap` or more after the one counted before it."""

    service: Annotated[str, Names("service or measure")]
    times: int = Field(1, ge=1)
    gap: InDays = Age(0, 1)


class Latest(Stretch):
    """The last record of one service in the stretch proves another as well, on that day."""

    measured: Annotated[str, Names("service or measure")]
    is_: Annotated[str, Names("service or measure")] = Field(alias="is")


class Criterion(Written):
    """One condition: exactly one kind is written, with the keys that belong to it.

    up_to_date, received, on_time: a standard (`received` and `on_time` also `standard/k`); event: it has happened;
    enrolled: a spell of that programme is open; born_in: `year`, the calendar year of the judging day;
    seen, latest: records of a service in the time before the judging day, whoever owes them;
    attribute: a test and what a missing value means, which official sheets decide differently.
    """

    all_of: list["Criterion"] | None = None
    any_of: list["Criterion"] | None = None
    at_least: AtLeast | None = None
    up_to_date: Annotated[str | None, Names("standard")] = None
    received: Annotated[str | None, Names("delivery")] = None
    on_time: Annotated[str | None, Names("delivery")] = None
    package: Annotated[str | None, Names("package")] = None
    event: Annotated[str | None, Names("event")] = None
    enrolled: str | None = None
    born_in: Literal["year"] | None = None
    seen: Seen | None = None
    latest: Latest | None = None
    attribute: Annotated[str | None, Names("attribute")] = None
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
        tests = [test for test in TESTS if getattr(self, test) is not None]
        if self.kind == "attribute" and (not tests or self.missing is None):
            needed = "an attribute needs a test (is, in, from, to, below, only, any) and `missing: in` or `out`"
            raise ValueError(say(needed))
        if self.kind != "attribute" and (tests or self.missing):
            raise ValueError(say("`{kind}` takes no test of a value", kind=self.kind))
        return self

    @property
    def kind(self) -> str:
        return only_one(self, *KINDS)

    @property
    def children(self) -> list["Criterion"]:
        return self.all_of or self.any_of or (self.at_least.of if self.at_least else [])
