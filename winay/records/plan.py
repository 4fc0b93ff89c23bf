"""What the invented people are like: `demo.yaml` as typed models. Shares and delays, and no country's names in the code."""

from typing import Self

from pydantic import Field, model_validator

from winay.programme.legal import Words
from winay.programme.standards import WrittenAge
from winay.programme.yaml_text import Listed, Named, Written


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

    effects: option -> place attribute -> how much its log-odds move with one standard deviation between places.
    own: drawn for each child; the others are one for all children of a pregnancy.
    """

    own: bool = False
    shares: Named[float] = {}
    effects: Named[Named[float]] = {}


class Chance(Written):
    """For whom something happens, and how often; effects: place attribute -> shift of the log-odds, as in `Draw`."""

    share: float = Field(1, ge=0, le=1)
    effects: Named[float] = {}
    only: Named[Listed[str]] = {}
    under: Named[float] = {}


class Delay(Written):
    """Days late, log-normal."""

    median: float
    sigma: float = 0.8


class Document(Chance):
    """A number that people come to have: its kind of identifier, how it is written, how long after birth it comes."""

    kind: str
    form: str
    delay: Delay = Field(default_factory=lambda: Delay.model_validate({"median": "0"}))


class Care(Chance):
    """Records that people come to have: the deliveries of a standard, or a service `on` the day of such deliveries.

    share: of the first delivery; keep: of the next after one received (the same unless written); back: after a missed
    one. planned: the ages at which each is usually given, where they differ from the standard's `from`. since: ages
    count from this delivery. service: what the record proves, if not what the standard counts. codes: one a delivery.
    needs: a delivery received. bare: only the item itself, as the contact has what it needs beside it. wrong: share of
    records that must not count; early: share given some days too soon; family: how much households differ.
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
    """A case put in on purpose, and the command to look at it (`{who}`, `{place}`, `{day}`, `{month}`)."""

    name: Words
    look: str


class Plan(Written):
    """demo.yaml."""

    regions: list[str]
    months: int
    history: int
    family_names: list[str]
    given_names: Named[list[str]]
    named_by: str
    new_place: str
    settlements: int
    draws: Named[Draw]
    twins: float
    facilities: Named[Listed[str]]
    birth_at: Chance
    birth_categories: Named[float]
    categories: Named[float]
    elsewhere: float
    documents: Named[Document]
    renewed: float
    moves: float
    deaths: float
    users: Chance
    care: list[Care]
    uncounted: list[str]
    keyed: Delay
    files: Named[File]
    planted: Named[Planted]
