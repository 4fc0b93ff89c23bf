"""Products of the results chain and the entities that answer for them."""

from typing import Annotated, Literal

from winay.programme.legal import Legal, Words
from winay.programme.yaml_text import Listed, Names, Written


class Entity(Written):
    """Who delivers: a ministry, a programme, a level of government."""

    name: Words
    sector: str | None = None
    level: Listed[str] = []


class Product(Written):
    """Goods or services delivered to a defined population; one entity answers for it."""

    product: str
    name: Words
    entity: Annotated[str, Names("entity")]
    levels: Listed[str] = []
    unit: Words | None = None
    subject: Annotated[str, Names("kind of subject")] = "child"
    owed_to: Words | None = None
    state: Literal["official", "proposed"] = "official"
    programme: str | None = None
    source: str | None = None
    legal: Legal | None = None
