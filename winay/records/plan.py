"""What the invented people are like: `demo.yaml` as typed models. Shares and delays in, no names of any country."""

from collections.abc import Iterable
from typing import Self

from pydantic import Field, model_validator

from winay.core.problems import Problem, WinayError, unknown_name
from winay.programme.legal import Words
from winay.programme.load import Programme
from winay.programme.standards import WrittenAge
from winay.programme.yaml_text import Listed, Named, Written, read, validate


class Slope(Written):
    """So much more for each unit above `around` of another number of the person or of its place."""

    add: float
    around: float = 0


class Number(Written):
    """A measured value: around `mean`, or around a `curve` of age in days -> value."""

    mean: float = 0
    curve: Named[float] = {}
    sd: float = 0
    from_: float | None = Field(None, alias="from")
    to: float | None = None
    per: Named[Slope] = {}


class Draw(Number):
    """An attribute of a person: a number, or one of the options in `shares` (which need not add up to 1).

    effects: option -> place attribute -> how much its log-odds move with one standard deviation between places;
    own: drawn for each child, where the others are one for the children of one pregnancy.
    """

    own: bool = False
    shares: Named[float] = {}
    effects: Named[Named[float]] = {}


class Chance(Written):
    """For whom something happens, and how often. effects: place attribute -> shift of the log-odds, as in `Draw`."""

    share: float = Field(1, ge=0, le=1)
    effects: Named[float] = {}
    only: Named[Listed[str]] = {}
    under: Named[float] = {}


class Delay(Written):
    """Days late, log-normal."""

    median: float
    sigma: float = 0.8


class Document(Chance):
    """A number that a person comes to have: its kind of identifier, how it is written, and how long after birth."""

    kind: str
    form: str
    delay: Delay = Field(default_factory=lambda: Delay.model_validate({"median": "0.1"}))


class Care(Chance):
    """Records that people come to have: the deliveries of a standard, or a service on the day of such deliveries.

    share: of the first delivery; keep: of the next after one received (the same unless written); back: after a missed
    one. planned: the ages at which each is usually given, where they differ from the standard's `from`. service: what
    the record proves, if not what the standard counts. needs: `standard/k` received; since: ages count from it.
    codes: one for each delivery.
    bare: only the item itself, because the contact has what it needs beside it. wrong: share of records that must not
    count; early: share given some days too soon.
    """

    standard: str | None = None
    service: str | None = None
    on: Listed[str] = []
    needs: str | None = None
    since: str | None = None
    keep: float | None = None
    back: float = 0.35
    planned: list[WrittenAge] = []
    delay: Delay = Field(default_factory=lambda: Delay.model_validate({"median": "5"}))
    family: float = 0.8
    wrong: float = 0.02
    early: float = 0.01
    bare: bool = False
    lab: str = ""
    codes: list[str] = []
    values: Named[Number] = {}

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if not self.standard and not (self.service and self.on):
            raise ValueError("care follows a `standard`, or is a `service` `on` the day of other deliveries")
        return self


class File(Written):
    """How a declared source is written: what its columns hold that it does not read, and rows that must be refused."""

    source: str
    fill: Named[str] = {}
    compress: bool = False
    bad: list[Named[str]] = []


class Planted(Written):
    """A case put in on purpose: what it is, and how to look at it (`{who}`, `{place}`, `{day}`, `{file}`)."""

    name: Words
    look: str


class Plan(Written):
    """demo.yaml."""

    regions: list[str]
    months: int = 24
    history: int = 12
    family_names: list[str]
    given_names: Named[list[str]]
    named_by: str
    new_place: str
    draws: Named[Draw]
    twins: float = 0
    birth_at: Chance
    birth_categories: Named[float]
    categories: Named[float]
    elsewhere: float = 0.04
    documents: Named[Document]
    renewed: float = 0.3
    moves: float = 0
    deaths: float = 0
    users: Chance
    settlements: int = 12
    care: list[Care]
    uncounted: list[str]
    keyed: Delay
    files: Named[File]
    planted: Named[Planted]


def read_plan(programme: Programme) -> Plan:
    """The plan of a programme's invented people. Raises WinayError for names that the programme does not define."""
    file = programme.path / "demo.yaml"
    plan = validate(Plan, read(file), file)
    if problems := list(_unknown(plan, programme)):
        raise WinayError(problems)
    return plan


def _unknown(plan: Plan, programme: Programme) -> Iterable[Problem]:
    for care in plan.care:
        for path in [*care.on, *(path for path in (care.needs, care.since, care.standard) if path)]:
            if path.split("/")[0] not in programme.standards:
                yield unknown_name(care.at, "standard", path.split("/")[0], programme.standards)
        if care.service and care.service not in programme.services:
            yield unknown_name(care.at, "service", care.service, programme.services)
        for trait in [*care.only, *care.under]:
            if trait not in plan.draws:
                yield unknown_name(care.at, "attribute", trait, list(plan.draws))
    for use in plan.files.values():
        if use.source not in programme.sources:
            yield unknown_name(use.at, "source", use.source, programme.sources)
