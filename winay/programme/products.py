"""Products of the results chain and the entities that answer for them."""

from typing import Literal

from winay.programme.legal import Legal, Words
from winay.programme.yaml_text import Listed, Written


class Entity(Written):
    """Who delivers: a ministry, a programme, a level of government."""

    name: Words
    sector: str | None = None
    level: Listed[str] = []


class Product(Written):
    """Goods or services delivered to a defined population; one entity answers for it."""

    product: str
    name: Words
    entity: str
    levels: Listed[str] = []
    unit: Words | None = None
    subject: str = "child"
    owed_to: Words | None = None
    state: Literal["official", "proposed"] = "official"
    programme: str | None = None
    source: str | None = None
    legal: Legal | None = None
