"""The production line above the rules: who delivers, what, towards which results, and the official sheets that measure it."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import model_validator

from winay.core.text import say
from winay.programme.legal import Legal, Words
from winay.programme.yaml_text import Listed, Names, Written


class Entity(Written):
    """Who delivers: a ministry, a programme, a level of government."""

    name: Words
    sector: str | None = None
    level: Listed[str] = []


class Link(Written):
    """One step up the chain, and the evidence that supports it; `proposed`: nobody published any."""

    to: Annotated[str, Names("result")]
    strength: Literal["strong", "moderate", "weak", "proposed"]
    legal: Legal | None = None
    note: Words | None = None

    @model_validator(mode="after")
    def _has_evidence(self) -> Self:
        if self.legal is None and self.strength != "proposed":
            raise ValueError(say("a link cites its norm, sheet or study (`legal`), or is `strength: proposed`"))
        return self


class Coded(Written):
    """Codes under which a product has been recorded, and where they were read; days nobody published are left out."""

    code: Listed[str]
    since: date | None = None
    until: date | None = None
    seen: str


class Product(Written):
    """Goods or services delivered to a defined population; one entity answers for it.

    subject: whom it is owed to, none where only a survey measures it; inferred: the fields that no source states;
    confidential: it tells of violence or neglect, so nobody is listed by it.
    """

    product: str
    name: Words
    entity: Annotated[str, Names("entity")]
    together_with: Annotated[Listed[str], Names("entity")] = []
    levels: Listed[str] = []
    programme: str | None = None
    unit: Words | None = None
    subject: Annotated[str | None, Names("kind of subject")] = "child"
    owed_to: Words | None = None
    confidential: bool = False
    state: Literal["official", "proposed"] = "official"
    inferred: Listed[Literal["unit", "entity", "levels"]] = []
    source: str | None = None
    legal: Legal | None = None
    codes: Listed[Coded] = []
    leads_to: Listed[Link] = []

    @property
    def key(self) -> str:
        return self.product


class Result(Written):
    """A result of the chain. indicators: the codes of what measures it; without any, `open` says what is missing."""

    result: str
    level: Literal["final", "specific", "intermediate", "immediate"]
    name: Words
    indicators: Annotated[Listed[str], Names("sheet or indicator")] = []
    open: Words | None = None
    leads_to: Listed[Link] = []
    legal: Legal

    @model_validator(mode="after")
    def _says_what_is_missing(self) -> Self:
        if not self.indicators and self.open is None:
            raise ValueError(say("a result names its `indicators`, or says in `open` why nothing measures it"))
        if (self.level == "final") == bool(self.leads_to):
            raise ValueError(say("every result leads to another (`leads_to`), the final one to none"))
        return self

    @property
    def key(self) -> str:
        return self.result


class Sheet(Written):
    """One official sheet of one year: how its value arises (`kind`), and whether we have it (`state`).

    computed: `indicator` gives the value; series: a published series is loaded; awaiting: nobody gave the data, `why`
    and `needs` say which, and `indicator` may name one that stands near it. changed: against the sheet of the year
    before, so that a series across both is broken. reach: the levels of place it is published for.
    """

    sheet: str
    year: int
    name: Words
    programme: str | None = None
    scope: Literal["product", "result", "commitment", "target"]
    product: Annotated[str | None, Names("product")] = None
    result: Annotated[str | None, Names("result")] = None
    kind: Literal["computed", "survey", "declared"]
    state: Literal["computed", "series", "awaiting"]
    indicator: Annotated[str | None, Names("indicator")] = None
    source: str
    reach: Annotated[Listed[str], Names("level")]
    unit: Words
    better: Literal["higher", "lower"] | None = None
    publishes: Words | None = None
    why: Words | None = None
    needs: Words | None = None
    changed: Words | None = None
    replaces: Annotated[Listed[str], Names("sheet or indicator")] = []
    note: Words | None = None
    confidence: Literal["official", "third-party", "proposed"] = "official"

    @model_validator(mode="after")
    def _says_how_it_arises(self) -> Self:
        if self.state == "computed" and self.indicator is None:
            raise ValueError(say("a computed sheet names the `indicator` that gives its value"))
        if self.state == "awaiting" and not (self.why and self.needs):
            raise ValueError(say("a sheet that waits says `why` and which data it `needs`"))
        return self

    @property
    def key(self) -> str:
        """`MEF-4934@2025`: the sheet of its year."""
        return f"{self.sheet}@{self.year}"
