"""Ages as a programme writes them: `60d`, `12m - 1d`, and `end`, the end of an episode."""

from typing import Annotated, Literal

from pydantic import PlainValidator, WithJsonSchema

from winay.core.ages import Age
from winay.core.text import say

END: Literal["end"] = "end"


def _age(value: object) -> Age:
    return value if isinstance(value, Age) else Age.parse(value if isinstance(value, str) else "…")


def _in_days(value: object) -> Age:
    age = _age(value)
    if age.months or age.days < 1:
        raise ValueError(say("a distance between records is written in days or weeks, such as 15d"))
    return age


def _age_or_end(value: object) -> Age | Literal["end"]:
    return END if value == END else _age(value)


_AGE_SCHEMA = WithJsonSchema({"type": "string", "examples": ["60d", "4w", "12m - 1d"]})
WrittenAge = Annotated[Age, PlainValidator(_age), _AGE_SCHEMA]
AgeOrEnd = Annotated[Age | Literal["end"], PlainValidator(_age_or_end), _AGE_SCHEMA]
InDays = Annotated[Age, PlainValidator(_in_days), _AGE_SCHEMA]
