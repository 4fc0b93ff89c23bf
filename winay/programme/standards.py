"""What is owed, as written: standards, their deliveries and clocks (design 4.2)."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from winay.core.ages import Age, MonthEnd
from winay.core.text import say
from winay.programme.criteria import Criterion
from winay.programme.legal import Legal, Reading, Words
from winay.programme.written_age import AgeOrEnd, WrittenAge
from winay.programme.yaml_text import Listed, Names, Written, inside, only_one


class Hands(Written):
    """The five hands of a clock; all windows are closed, `end` is the end of the episode."""

    valid: WrittenAge | None = None
    from_: WrittenAge | None = Field(None, alias="from")
    due: AgeOrEnd | None = None
    by: AgeOrEnd | None = None
    until: AgeOrEnd | None = None


class AgeRange(Written):
    age: tuple[WrittenAge, AgeOrEnd]


class Gap(Hands):
    """A clock that starts at another record: `counted`, `previous`, delivery `j` of this standard, or `standard/j`."""

    since: Annotated[str, Names("since")] = "counted"
    binds: AgeRange | None = Field(None, alias="at")

    @model_validator(mode="after")
    def _starts_somewhere(self) -> Self:
        if not re.fullmatch(r"counted|previous|\d+|[^/]+/\d+", self.since):
            raise ValueError(say("`since` is counted, previous, a delivery number, or standard/number"))
        return self


class Spaced(Written):
    """The gaps of a delivery, or of every delivery of a standard that names none."""

    gap: WrittenAge | None = None
    gaps: list[Gap] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.gap is not None and self.gaps is not None:
            raise ValueError(say("write `gap` or `gaps`, not both"))
        return self

    @property
    def own_gaps(self) -> list[Gap] | None:
        """None where it says nothing of gaps; `gap: 28d` is short for `gaps: [{since: counted, from: 28d}]`."""
        return self.gaps if self.gap is None else [Gap(from_=self.gap)]


class NotOwed(Written):
    """When a delivery is no longer owed: from an age on, after enough received since an age, or another standard begun."""

    age: Annotated[str, Field(pattern=r"^>=? *\d")] | None = None
    received: int | None = Field(None, ge=1)
    since: WrittenAge | None = None
    started: Annotated[str | None, Names("standard")] = None

    @model_validator(mode="after")
    def _one_reason(self) -> Self:
        only_one(self, "age", "received", "started")
        return self


class DeliveryLine(Hands, Spaced):
    """One delivery as written, or (with `every`) a row of deliveries from `from` up to `until`."""

    service: Annotated[str | None, Names("service")] = None
    not_owed_when: Listed[NotOwed] = []
    every: WrittenAge | None = None

    @model_validator(mode="after")
    def _steps_forward(self) -> Self:
        if self.every and not (self.from_ is not None and isinstance(self.until, Age)):
            raise ValueError(say("`every` needs `from` and `until`, both ages"))
        if self.every is not None and (self.every == Age() or min(self.every.months, self.every.days) < 0):
            raise ValueError(say("`every` is a step forward"))
        return self


class FirstRecord(Written):
    """The subject's first record of the service: its age (closed), or what else it proves that day (a service).

    While there is no record, the age on the judging day is compared instead, and a `service` does not fit.
    """

    age: tuple[WrittenAge, AgeOrEnd] | None = None
    service: Annotated[str | None, Names("service")] = None


class Variant(Written):
    """Deliveries for some subjects; the first variant that fits is the one owed."""

    first: FirstRecord | None = None
    who: Criterion | None = None
    deliveries: list[DeliveryLine]


class Anchor(Written):
    """The date ages are counted from, when it is not simply the birth."""

    event: Annotated[str | None, Names("event")] = None
    delivery: Annotated[str | None, Names("delivery")] = None
    back: WrittenAge | None = None
    times: Annotated[str | None, Names("attribute")] = None
    from_: Literal["birth"] = Field("birth", alias="from")
    to_weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        only_one(self, "event", "delivery", "back")
        return self


class Standard(Spaced):
    """The deliveries a subject is owed under one rule version."""

    standard: str = Field(pattern=r"^[^/\s]+$")
    name: Words | None = None
    rules: Annotated[str | None, Names("rule version")] = None
    product: Annotated[str | None, Names("product")] = None
    subject: Annotated[str, Names("kind of subject")] = "child"
    anchor: Literal["birth"] | Anchor = "birth"
    who: Criterion | None = None
    service: Annotated[str | None, Names("service")] = None
    match: Literal["earliest", "chain"] = "earliest"
    in_sequence: bool = False
    catch_up: bool = False
    grace: WrittenAge = Age()
    month_end: MonthEnd | None = None
    deliveries: list[DeliveryLine] = []
    variants: list[Variant] = []
    episode: Literal["first", "last", "each"] = "each"
    legal: Legal | None = None
    reading: Listed[Reading] | None = None

    @property
    def lines(self) -> list[DeliveryLine]:
        """Every delivery as written, of all variants."""
        return [*self.deliveries, *(line for variant in self.variants for line in variant.deliveries)]

    @model_validator(mode="after")
    def _owes_something(self) -> Self:
        if bool(self.deliveries) == bool(self.variants):
            raise ValueError(say("a standard has `deliveries`, or `variants` that have them"))
        lines = self.lines
        if any(line.service is None for line in lines) and self.service is None:
            raise ValueError(say("a standard names the `service` it counts, or each delivery does"))
        if self.match == "chain":
            if any(part.since != "counted" for part in inside(self) if isinstance(part, Gap)):
                raise ValueError(say("with `match: chain` gaps are `since: counted` only"))
            if any(line.not_owed_when for line in lines):
                raise ValueError(say("with `match: chain` no delivery has `not_owed_when`"))
        return self
