"""JSON Schema of every kind of file of a programme folder, for editors."""

from typing import Any

from pydantic import TypeAdapter

from winay.programme.criteria import Criterion
from winay.programme.indicators import Event, Indicator
from winay.programme.load import Head
from winay.programme.products import Product
from winay.programme.services import Matcher
from winay.programme.sources import Source
from winay.programme.standards import Standard

LISTS: dict[str, Any] = {"standards": Standard, "indicators": Indicator, "products": Product, "sources": Source}
NAMED: dict[str, Any] = {"services": Matcher, "events": Event, "packages": Criterion}


def schemas() -> dict[str, Any]:
    """Kind of file -> JSON Schema: `standards` holds for standards.yaml and every file in standards/."""
    made = {"programme": TypeAdapter(Head)} | {name: TypeAdapter(list[model] | model) for name, model in LISTS.items()}  # type: ignore[valid-type]
    made |= {name: TypeAdapter(dict[str, dict[str, model]]) for name, model in NAMED.items()}  # type: ignore[valid-type]
    return {name: model.json_schema(by_alias=True) for name, model in made.items()}
