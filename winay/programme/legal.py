"""On what a rule stands: its norm or sheet, how sure it is, and the reading taken where the text is ambiguous."""

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import PlainValidator, WithJsonSchema, model_validator

from winay.core.text import Text, say
from winay.programme.yaml_text import Written, without_place


def _words(value: object) -> Text:
    if isinstance(value, dict):
        told = without_place(value)
        if odd := [
            code for code, words in told.items() if not (isinstance(words, str) and re.fullmatch("[a-z]{2,3}", code))
        ]:
            found = '"{odd}" is no language with its words; text that holds a comma is written in quotes'
            raise ValueError(say(found, odd=odd[0]))
        return Text(told)
    if isinstance(value, str):
        return Text(es=value)
    raise ValueError(say("words are text, or one text a language (es: …, en: …)"))


_WORDS_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}
Words = Annotated[Text, PlainValidator(_words), WithJsonSchema(_WORDS_SCHEMA)]
"""A name: `{es: …, en: …}`, or text alone for Spanish."""


class Legal(Written):
    """What a rule or link stands on: a norm, a sheet, a study. One that stands on none must say that it is `proposed`."""

    norm: str | None = None
    sheet: str | None = None
    study: str | None = None
    article: str | None = None
    url: str | None = None
    confidence: Literal["official", "third-party", "proposed"]
    note: Words | None = None

    @model_validator(mode="after")
    def _stands_on_something(self) -> Self:
        if not (self.norm or self.sheet or self.study) and self.confidence != "proposed":
            raise ValueError(say("a rule names its norm or sheet, or says `confidence: proposed`"))
        return self

    def told(self) -> str:
        return ", ".join(part for part in (self.norm, self.sheet, self.article, self.study) if part)


class Reading(Written):
    """How an ambiguous text is read, and how else it could be."""

    taken: Words
    other: Words | None = None
    row: str | None = None


class InForce(Written):
    """The days a rule version holds, both included; `until` left out means until further notice."""

    since: date
    until: date | None = None
    confidence: Literal["official", "third-party", "proposed"] = "official"
    note: Words | None = None

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)
