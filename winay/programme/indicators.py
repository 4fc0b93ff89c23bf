"""Events, packages and indicators, as written (design 4.3)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from winay.core.ages import Age
from winay.core.text import say
from winay.programme.criteria import Criterion
from winay.programme.legal import InForce, Legal, Reading, Words
from winay.programme.written_age import AgeOrEnd, InDays, WrittenAge
from winay.programme.yaml_text import Listed, Named, Names, Written


class Window(Written):
    """Closed ages between which a record is looked for; an open side has no limit."""

    from_: WrittenAge | None = Field(None, alias="from")
    until: AgeOrEnd | None = None


class Event(Written):
    """The first record found by clocks that nobody owes; it can be an anchor, a `since`, a criterion.

    age: `[a, b]` or `{from, until}`, closed, from the subject's birth; since: another event, not before whose day.
    """

    service: Annotated[str, Names("service")]
    subject: Annotated[str, Names("kind of subject")] = "child"
    age: Window | tuple[WrittenAge, AgeOrEnd] | None = None
    since: Annotated[str | None, Names("event")] = None
    name: Words | None = None
    legal: Legal | None = None
    reading: Listed[Reading] | None = None

    @property
    def window(self) -> Window:
        if isinstance(self.age, tuple):
            return Window(from_=self.age[0], until=self.age[1])
        return self.age or Window()


class Compliance(Written):
    """Met in at least `months` of `of` consecutive months."""

    months: int
    of: int


class Count(Written):
    """Records of a service in the judging day's calendar year, each `gap` or more after the one counted before it."""

    service: Annotated[str, Names("service or measure")]
    gap: InDays = Age(0, 1)


class Indicator(Written):
    """A numerator over a cohort, by place and period, under one rule version.

    cross-section: subjects with age in [a, b) on the period's last day. milestone: subjects that reach `age` in the
    period, judged that day. episode: episodes that ended in the period, judged on the day they ended. prevalence: a
    cross-section of those measured, met where the last measurement is past the cut-off. ratio: `count` records of the
    members of a cross-section, divided by these.
    """

    indicator: str = Field(pattern=r"^[^@/\s]+$")
    rules: Annotated[str, Names("rule version")]
    name: Words
    kind: Literal["cross-section", "milestone", "episode", "prevalence", "ratio"]
    subject: Annotated[str, Names("kind of subject")] = "child"
    age: tuple[WrittenAge, WrittenAge] | WrittenAge | None = None
    who: Criterion | None = None
    exclude: Criterion | None = None
    met: Criterion | None = None
    count: Count | None = None
    place: Annotated[str, Field(pattern=r"^residence$|^provider:.+$"), Names("place rule")] = "residence"
    better: Literal["higher", "lower"] = "higher"
    episode: Literal["first", "last", "each"] = "each"
    compliance: Compliance | None = None
    proxy: Words | None = None
    product: Annotated[str | None, Names("product")] = None
    publishes: Words | None = None
    in_force: InForce | None = None
    legal: Legal
    reading: Listed[Reading] | None = None

    @model_validator(mode="after")
    def _age_fits_kind(self) -> Self:
        fits: dict[str, type] = {"milestone": Age, "episode": type(None)}
        if not isinstance(self.age, fits.get(self.kind, tuple)):
            raise ValueError(say("`age` is one age in a milestone, none in an episode, else [from, below]"))
        if (self.met is None) != (self.kind == "ratio") or (self.count is None) == (self.kind == "ratio"):
            raise ValueError(say("an indicator says what is `met`; one of kind ratio what it counts (`count`) instead"))
        return self

    @property
    def key(self) -> str:
        """`MC-02.01@FED2026`: the indicator under its rule version."""
        return f"{self.indicator}@{self.rules}"


class Attribute(Written):
    """A property of a subject, a place or a provider: its type, unit and name."""

    type: Literal["text", "integer", "decimal", "date", "set", "yes_no", "provider", "place", "person"]
    of: Literal["subject", "place", "provider"] = "subject"
    unit: str | None = None
    name: Words | None = None
    values: Named[Words] = {}
    note: Words | None = None
    legal: Legal | None = None


class SubjectKind(Written):
    """A kind of subject the standards of the programme apply to."""

    name: Words
    plural: Words | None = None
    episodes: bool = False
    birth: Words | None = None


class Rules(Written):
    """A rule version: an agreement's sheets, a health norm, a budget year."""

    name: Words
    in_force: InForce
    legal: Legal | None = None
