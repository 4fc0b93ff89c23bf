"""One declared source: the file somebody owes us, its columns, and the canonical rows that each of its lines writes.

The declaration is read forwards by `records` (file -> canonical rows) and backwards by whoever invents files in the same
format (canonical facts -> file), so each cell of a canonical row is one of a few simple, named forms.
"""

import re
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from winay.core.ages import Age
from winay.core.text import say
from winay.programme.legal import Legal, Words
from winay.programme.yaml_text import Listed, Named, Names, Written, inside, names_of, only_one

PRESENT, ABSENT = "present", "absent"
FORMS = ("column", "constant", "identifier", "identifier_from", "join", "prefix", "place", "first_of")


OneColumn = Annotated[str | None, Names("column")]
Columns = Annotated[Listed[str], Names("column")]
Where = Annotated[Named[Listed[str]], Names("column")]
"""Column -> the values it must have."""


class SourceColumn(Written):
    """One column of the file. A cell is blank or exactly what is declared here; nothing is guessed.

    pattern: a regular expression the whole cell matches; formats: of dates, as in strptime; from, to: closed range of a
    number; earliest: of a date, and `future` lets it lie after the day the file became known; values: what the cell says
    -> what we write (other codes are refused, or become `otherwise`); separator: the cell is a set of such codes;
    optional: the file may lack the column; personal: names and documents, which never leave the vault.
    """

    name: str
    aliases: Listed[str] = []
    type: Literal["text", "code", "integer", "decimal", "date"] = "text"
    required: bool = False
    optional: bool = False
    pattern: str | None = None
    formats: Listed[str] = ["%Y-%m-%d"]
    from_: Decimal | None = Field(None, alias="from")
    to: Decimal | None = None
    earliest: date = date(1900, 1, 1)
    future: bool = False
    values: Named[str | None] | None = None
    otherwise: str | None = None
    separator: str | None = None
    personal: bool = False
    unit: str | None = None
    meaning: Words | None = None

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(say("not a regular expression: {why}", why=error)) from error
        return pattern

    @property
    def names(self) -> list[str]:
        return [self.name, *self.aliases]


class Cell(Written):
    """One cell of a canonical row: exactly one form is written.

    column: as translated by its declaration; constant; identifier: pseudonym of a kind of document and the value in
    `of` (several columns are joined); identifier_from: the same, a column says the kind; join: columns and, between them,
    `between` (blank when all are blank); prefix: the first `length` characters of a column; place: a cell whose code is
    of another `system`, turned into the programme's own code through the places; first_of: the first cell not blank.
    `when` blanks the cell where its conditions do not hold.
    """

    column: OneColumn = None
    constant: str | None = None
    identifier: str | None = None
    identifier_from: OneColumn = None
    of: Columns = []
    join: Annotated[list[str] | None, Names("column")] = None
    between: str = ""
    prefix: OneColumn = None
    length: int | None = None
    place: "AnyCell | None" = None
    system: str | None = None
    first_of: "list[AnyCell] | None" = None
    when: Where = {}

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        needs = {"identifier": "of", "identifier_from": "of", "prefix": "length", "place": "system"}.get(self.form)
        if needs and not getattr(self, needs):
            raise ValueError(say("`{form}` needs `{needs}`", form=self.form, needs=needs))
        return self

    @property
    def form(self) -> str:
        return only_one(self, *FORMS)


def _short(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


AnyCell = Annotated[Cell, BeforeValidator(_short)]


class Write(Written):
    """The canonical row that a line of the file becomes, where `when` holds (column -> `present`, `absent` or values)."""

    table: str
    when: Where = {}
    row: Named[AnyCell]


class Source(Written):
    """A file somebody delivers.

    owed_by: an entity of the programme; every, by_day: a file for each month (year), owed until that day of the next;
    file: its usual name, `{year}` and `{month}` inside; key: the columns that name a record, so that another delivery
    with the same key is a newer version of it, told by `version` and then by the known day; registered: the column with
    the day the record was keyed in; writes: the first entry has no condition and carries the accounts of the source;
    history: tables whose older versions stay in force (a move ends a residence, it does not make it untrue);
    replaces: `table.column` that `--replaces` reads to find the rows of a month or of a place.
    """

    source: str
    name: Words
    reader: Literal["delimited", "excel"] = "delimited"
    delimiters: list[str] = [","]
    encodings: list[str] = ["utf-8"]
    file: str
    owed_by: Annotated[str | None, Names("entity")] = None
    every: Literal["month", "year", "once"] = "once"
    by_day: int | None = Field(None, ge=1, le=31)
    purpose: Words
    legal: Legal
    retention: str
    columns: list[Annotated[SourceColumn, BeforeValidator(lambda v: {"name": v} if isinstance(v, str) else v)]]
    key: Annotated[list[str], Names("column")]
    version: OneColumn = None
    registered: OneColumn = None
    history: list[str] = []
    replaces: Named[str] = {}
    writes: list[Write] = Field(min_length=1)

    @field_validator("retention")
    @classmethod
    def _an_age(cls, text: str) -> str:
        Age.parse(text)
        return text

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.writes[0].when:
            raise ValueError(say("the first entry of `writes` holds for every line: it takes no `when`"))
        names = [name for column in self.columns for name in column.names]
        if doubled := [name for name in names if names.count(name) > 1]:
            raise ValueError(say('"{name}" names two columns of the source', name=doubled[0]))
        for cell in (part for part in inside(self) if isinstance(part, Cell)):
            if cell.identifier_from in self.by_name and not self.by_name[cell.identifier_from].values:
                needed = 'the column "{name}" says a kind of identifier: give it its `values` (code: kind)'
                raise ValueError(say(needed, name=cell.identifier_from))
        return self

    @cached_property
    def by_name(self) -> dict[str, SourceColumn]:
        return {column.name: column for column in self.columns}

    def called(self, name: str) -> SourceColumn | None:
        """The column that a header calls so, in any case."""
        return self._spelled.get(name.strip().casefold())

    @cached_property
    def _spelled(self) -> dict[str, SourceColumn]:
        return {name.strip().casefold(): column for column in self.columns for name in column.names}

    @cached_property
    def used(self) -> list[str]:
        """The columns that decide what is written, in the order of the file."""
        read = {name for part in inside(self) for thing, name in names_of(part) if thing == "column"}
        return [column.name for column in self.columns if column.name in read]
