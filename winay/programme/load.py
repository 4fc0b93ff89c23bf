"""A programme folder -> one typed, frozen Programme, or every problem it has at once."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter

from winay.core.ages import MonthEnd
from winay.core.problems import At, Problem, WinayError
from winay.programme.chain import Entity, Product, Result, Sheet
from winay.programme.criteria import Criterion
from winay.programme.indicators import Attribute, Event, Indicator, Rules, SubjectKind
from winay.programme.legal import Words
from winay.programme.measures import Haemoglobin, Measure
from winay.programme.schedule import Schedule, schedule
from winay.programme.series import Series
from winay.programme.services import Matcher
from winay.programme.sources import Source
from winay.programme.standards import Standard
from winay.programme.yaml_text import Named, Names, Written, read, validate, without_place

PARTS: dict[str, tuple[type[Written], str | None]] = {
    "services": (Matcher, None),
    "haemoglobin": (Haemoglobin, "haemoglobin"),
    "measures": (Measure, None),
    "standards": (Standard, "standard"),
    "events": (Event, None),
    "packages": (Criterion, None),
    "indicators": (Indicator, "key"),
    "products": (Product, "key"),
    "results": (Result, "key"),
    "sheets": (Sheet, "key"),
    "sources": (Source, "source"),
    "series": (Series, "series"),
}
"""Part of a folder -> what its items are, and which of their keys names them (None: they are written `name: item`)."""


class Head(Written):
    """programme.yaml: what the programme is called and counts with."""

    programme: str
    name: Words
    version: str = "1"
    languages: list[str] = ["es", "en"]
    month_end: MonthEnd = "clip"
    counted_types: list[str] = []
    documents: list[str] = []
    headline: Annotated[str | None, Names("indicator")] = None
    quintile: Annotated[str | None, Names("attribute to group by")] = None
    currency: str | None = None
    time_zone: str = "UTC"
    levels: list[str]
    level_names: Annotated[Named[Words], Names("level")] = {}
    attributes: Named[Attribute] = {}
    subjects: Named[SubjectKind]
    rules: Named[Rules] = {}
    entities: Named[Entity] = {}
    terms: Named[Words] = {}


@dataclass(frozen=True, eq=False)
class Programme:
    """The policy of one programme version. `hash` names its content; every part knows its file and line."""

    path: Path
    hash: str
    head: Head
    services: dict[str, Matcher] = field(default_factory=dict)
    haemoglobin: dict[str, Haemoglobin] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    standards: dict[str, Standard] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    packages: dict[str, Criterion] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.head.programme

    @property
    def attributes(self) -> dict[str, Attribute]:
        return self.head.attributes

    @property
    def parts(self) -> dict[str, Mapping[str, Written]]:
        """`services`, `standards`… -> their items by name."""
        return {part: getattr(self, part) for part in PARTS}

    @cached_property
    def schedules(self) -> dict[str, Schedule]:
        """The normal form of every standard, in the order written."""
        return {name: schedule(standard, self.head.month_end) for name, standard in self.standards.items()}

    @cached_property
    def recognised(self) -> dict[str, Matcher | Measure]:
        """Everything that can be seen in records: services, and what measurements prove."""
        return {**self.services, **self.measures}

    @cached_property
    def service_numbers(self) -> dict[str, int]:
        """The number a service has in sorted tables: its place in alphabetical order."""
        return {name: number for number, name in enumerate(sorted(self.recognised))}

    def series_of(self, key: str, loaded: bool = False) -> Series | None:
        """What describes a published series: the entry of its own name, of loaded values first one that ends in `*`."""
        entries = [series for series in self.series.values() if series.holds(key)]
        return min(entries, key=lambda series: series.series.endswith("*") != loaded, default=None)

    def rules_in_force(self, indicator: str, day: date) -> list[str]:
        """The rule versions of an indicator that are in force on a day."""
        found = [i.rules for i in self.indicators.values() if i.indicator == indicator]
        return [rules for rules in found if self.head.rules[rules].in_force.holds(day)]


def load(path: Path | str) -> Programme:
    """Read and check a folder. Raises WinayError with all problems, each with file, line and remedy."""
    from winay.programme.check import check

    folder = Path(path)
    main = folder / "programme.yaml"
    if not main.is_file():
        found = "{folder} is not a programme folder"
        raise WinayError(Problem(At(str(folder)), found, "programme.yaml in it", facts={"folder": folder}), status=2)
    problems: list[Problem] = []
    head = None
    with gathered(problems):
        head = validate(Head, read(main), main)
    parts = {part: _items(folder, part, problems) for part in PARTS}
    if head is None or problems:
        raise WinayError(problems)
    programme = Programme(folder, content_hash(folder), head, **parts)
    if problems := check(programme):
        raise WinayError(problems)
    return programme


def schemas() -> dict[str, Any]:
    """Kind of file -> JSON Schema, for editors: `standards` holds for standards.yaml and every file in standards/."""
    made: dict[str, Any] = {"programme": Head.model_json_schema(by_alias=True)}
    for part, (model, key) in PARTS.items():
        written: Any = list[model] | model if key else dict[str, dict[str, model]]  # type: ignore[valid-type]
        made[part] = TypeAdapter(written).json_schema(by_alias=True)
    return made


def content_hash(folder: Path) -> str:
    """A short name for the content of the rules: every YAML file and reference table, but worked cases and the demo."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        ours = file.suffix in (".yaml", ".csv", ".gz") and "cases" not in file.parts and file.name != "demo.yaml"
        if ours and file.is_file():
            digest.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def gathered(problems: list[Problem]) -> Iterator[None]:
    """What is wrong inside is kept with the other problems; what comes after it goes on."""
    try:
        yield
    except WinayError as error:
        problems += error.problems


def _items(folder: Path, part: str, problems: list[Problem]) -> dict[str, Any]:
    """The items of `standards.yaml` and of everything in `standards/`, by name."""
    result: dict[str, Any] = {}
    for file in [folder / f"{part}.yaml", *sorted((folder / part).glob("*.yaml"))]:
        if file.is_file():
            with gathered(problems):
                value = read(file)
                put(part, value.get(part, value) if isinstance(value, dict) else value, file, result, problems)
    return result


def put(part: str, value: Any, file: Path, items: dict[str, Any], problems: list[Problem]) -> None:
    """What a file writes of a part goes among its items, by name; what is wrong goes among the problems."""
    model, key = PARTS[part]
    for written, item in _named(value) if key is None else _listed(value):
        with gathered(problems):
            made = validate(model, item, file)
            name = getattr(made, key) if key else written
            if name in items:
                facts = {"name": name, "before": items[name].at}
                found = '"{name}" is defined twice, first at {before}'
                problems.append(Problem(made.at, found, hint="give one of them another name", facts=facts))
            items[name] = made


def _listed(value: Any) -> list[tuple[str, Any]]:
    """A list of items, or one."""
    return [("", item) for item in (value if isinstance(value, list) else [value])]


def _named(value: Any) -> list[tuple[str, Any]]:
    """`name: item`."""
    return list(without_place(value).items()) if isinstance(value, dict) else []
