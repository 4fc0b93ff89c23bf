"""What is owed, as written: standards, their deliveries and clocks (design 4.2)."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from winay.core.ages import Age
from winay.programme.criteria import Criterion
from winay.programme.legal import Legal, Reading, Words
from winay.programme.yaml_text import Listed, Written

END: Literal["end"] = "end"


def _age(value: object) -> Age:
    if isinstance(value, Age):
        return value
    if not isinstance(value, str):
        raise ValueError("an age is written 60d, 4w, 12m - 1d")
    return Age.parse(value)


def _age_or_end(value: object) -> Age | Literal["end"]:
    return END if value == END else _age(value)


_AGE_SCHEMA = WithJsonSchema({"type": "string", "examples": ["60d", "4w", "12m - 1d"]})
WrittenAge = Annotated[Age, PlainValidator(_age), _AGE_SCHEMA]
AgeOrEnd = Annotated[Age | Literal["end"], PlainValidator(_age_or_end), _AGE_SCHEMA]


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

    since: str = "counted"
    binds: AgeRange | None = Field(None, alias="at")

    @model_validator(mode="after")
    def _starts_somewhere(self) -> Self:
        if not re.fullmatch(r"counted|previous|\d+|[^/]+/\d+", self.since):
            raise ValueError("`since` is counted, previous, a delivery number, or standard/number")
        return self


class NotOwed(Written):
    """When a delivery is no longer owed: from an age on, after enough received since an age, or another standard begun."""

    age: Annotated[str, Field(pattern=r"^>=? *\d")] | None = None
    received: int | None = Field(None, ge=1)
    since: WrittenAge | None = None
    started: str | None = None

    @model_validator(mode="after")
    def _one_reason(self) -> Self:
        if sum(x is not None for x in (self.age, self.received, self.started)) != 1:
            raise ValueError("`not_owed_when` says one of age, received, started")
        return self


class DeliveryLine(Hands):
    """One delivery as written, or (with `every`) a row of deliveries from `from` up to `until`."""

    service: str | None = None
    gap: WrittenAge | None = None
    gaps: list[Gap] | None = None
    not_owed_when: Listed[NotOwed] = []
    every: WrittenAge | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.gap is not None and self.gaps is not None:
            raise ValueError("write `gap` or `gaps`, not both")
        if self.every and not (self.from_ is not None and isinstance(self.until, Age)):
            raise ValueError("`every` needs `from` and `until`, both ages")
        if self.every is not None and (self.every == Age() or min(self.every.months, self.every.days) < 0):
            raise ValueError("`every` is a step forward")
        return self


class FirstRecord(Written):
    """The subject's first record of the service: its age (closed), or what else it proves that day (a service).

    While there is no record, the age on the judging day is compared instead, and a `service` does not fit.
    """

    age: tuple[WrittenAge, AgeOrEnd] | None = None
    service: str | None = None


class Variant(Written):
    """Deliveries for some subjects; the first variant that fits is the one owed."""

    first: FirstRecord | None = None
    who: Criterion | None = None
    deliveries: list[DeliveryLine]


class Anchor(Written):
    """The date ages are counted from, when it is not simply the birth."""

    event: str | None = None
    delivery: str | None = None
    back: WrittenAge | None = None
    times: str | None = None
    from_: Literal["birth"] = Field("birth", alias="from")
    to_weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(x is not None for x in (self.event, self.delivery, self.back)) != 1:
            raise ValueError("an anchor is `birth`, {event: …}, {delivery: standard/k} or {back: …, times: …}")
        return self


class Standard(Written):
    """The deliveries a subject is owed under one rule version."""

    standard: str = Field(pattern=r"^[^/\s]+$")
    name: Words | None = None
    rules: str | None = None
    product: str | None = None
    subject: str = "child"
    anchor: Literal["birth"] | Anchor = "birth"
    who: Criterion | None = None
    service: str | None = None
    match: Literal["earliest", "chain"] = "earliest"
    in_sequence: bool = False
    catch_up: bool = False
    grace: WrittenAge = Age()
    month_end: Literal["clip", "next"] | None = None
    gap: WrittenAge | None = None
    gaps: list[Gap] | None = None
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
            raise ValueError("a standard has `deliveries`, or `variants` that have them")
        lines = self.lines
        if any(line.service is None for line in lines) and self.service is None:
            raise ValueError("a standard names the `service` it counts, or each delivery does")
        if self.match == "chain":
            gaps = [gap for line in lines for gap in line.gaps or []] + (self.gaps or [])
            if any(gap.since != "counted" for gap in gaps):
                raise ValueError("with `match: chain` gaps are `since: counted` only")
            if any(line.not_owed_when for line in lines):
                raise ValueError("with `match: chain` no delivery has `not_owed_when`")
        return self
