"""Events, packages and indicators, as written (design 4.3)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from winay.core.ages import Age
from winay.core.text import say
from winay.programme.criteria import Criterion
from winay.programme.legal import InForce, Legal, Reading, Words
from winay.programme.standards import AgeOrEnd, WrittenAge
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


class Indicator(Written):
    """A numerator over a cohort, by place and period, under one rule version.

    cross-section: subjects with age in [a, b) on the period's last day. milestone: subjects that reach `age` in the
    period, judged that day. episode: episodes that ended in the period, judged on the day they ended.
    """

    indicator: str = Field(pattern=r"^[^@/\s]+$")
    rules: Annotated[str, Names("rule version")]
    name: Words
    kind: Literal["cross-section", "milestone", "episode"]
    subject: Annotated[str, Names("kind of subject")] = "child"
    age: tuple[WrittenAge, WrittenAge] | WrittenAge | None = None
    who: Criterion | None = None
    exclude: Criterion | None = None
    met: Criterion
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
        if not isinstance(self.age, {"cross-section": tuple, "milestone": Age, "episode": type(None)}[self.kind]):
            raise ValueError(
                say("`age` is [from, below] in a cross-section, one age in a milestone, none in an episode")
            )
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
