"""A programme folder -> one typed, frozen Programme, or every problem it has at once."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from winay.core.ages import MonthEnd
from winay.core.problems import At, Problem, WinayError
from winay.programme.criteria import Criterion
from winay.programme.indicators import Attribute, Event, Indicator, Rules, SubjectKind
from winay.programme.legal import Words
from winay.programme.products import Entity, Product
from winay.programme.schedule import Schedule, schedule
from winay.programme.services import Matcher
from winay.programme.sources import Source
from winay.programme.standards import Standard
from winay.programme.yaml_text import AT, M, Named, Written, read, validate


class Head(Written):
    """programme.yaml: what the programme is called and counts with."""

    programme: str
    name: Words
    version: str = "1"
    languages: list[str] = ["es", "en"]
    month_end: MonthEnd = "clip"
    counted_types: list[str] = []
    documents: list[str] = []
    headline: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"
    levels: list[str]
    level_names: Named[Words] = {}
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
    standards: dict[str, Standard] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    packages: dict[str, Criterion] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.head.programme

    @cached_property
    def schedules(self) -> dict[str, Schedule]:
        """The normal form of every standard, in the order written."""
        return {name: schedule(standard, self.head.month_end) for name, standard in self.standards.items()}

    @cached_property
    def service_numbers(self) -> dict[str, int]:
        """The number a service has in sorted tables: its place in alphabetical order."""
        return {name: number for number, name in enumerate(sorted(self.services))}

    @property
    def attributes(self) -> dict[str, Attribute]:
        return self.head.attributes

    def rules_in_force(self, indicator: str, day: date) -> list[str]:
        """The rule versions of an indicator that are in force on a day."""
        found = [i.rules for i in self.indicators.values() if i.indicator == indicator]
        dated = [rules for rules in found if rules in self.head.rules]
        spans = {rules: self.head.rules[rules].in_force for rules in dated}
        return [r for r in dated if spans[r].since <= day and (spans[r].until is None or day <= spans[r].until)]  # type: ignore[operator]


def load(path: Path | str) -> Programme:
    """Read and check a folder. Raises WinayError with all problems, each with file, line and remedy."""
    from winay.programme.check import check

    folder = Path(path)
    if not (folder / "programme.yaml").is_file():
        found = "{folder} is not a programme folder"
        raise WinayError(Problem(At(str(folder)), found, "programme.yaml in it", facts={"folder": folder}), status=2)
    problems: list[Problem] = []
    head = _one(folder / "programme.yaml", Head, problems)
    lists = {
        "standards": lambda value: (value.standard, value),
        "indicators": lambda value: (value.key, value),
        "products": lambda value: (value.product, value),
        "sources": lambda value: (value.source, value),
    }
    named = {"services": Matcher, "events": Event, "packages": Criterion}
    models: dict[str, type[Written]] = {
        "standards": Standard,
        "indicators": Indicator,
        "products": Product,
        "sources": Source,
    }
    parts: dict[str, dict[str, Any]] = {}
    for part, key in lists.items():
        parts[part] = _listed(folder, part, models[part], key, problems)
    for part, model in named.items():
        parts[part] = _named(folder, part, model, problems)
    if problems or head is None:
        raise WinayError(problems)
    programme = Programme(folder, content_hash(folder), head, **parts)
    if problems := check(programme):
        raise WinayError(problems)
    return programme


def content_hash(folder: Path) -> str:
    """A short name for the content of the rules: every YAML file and reference table, but worked cases and the demo."""
    digest = hashlib.sha256()
    for file in _files(folder):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _files(folder: Path) -> list[Path]:
    wanted = (".yaml", ".csv", ".gz")
    found = (f for f in folder.rglob("*") if f.suffix in wanted and f.is_file() and "cases" not in f.parts)
    return sorted(f for f in found if f.name != "demo.yaml")


def _documents(folder: Path, part: str) -> Iterator[Path]:
    """`standards.yaml` and everything in `standards/`."""
    if (single := folder / f"{part}.yaml").is_file():
        yield single
    yield from sorted((folder / part).glob("*.yaml"))


def _one(file: Path, model: type[M], problems: list[Problem]) -> M | None:
    try:
        return validate(model, read(file), file)
    except WinayError as error:
        problems.extend(error.problems)
        return None


def _listed(
    folder: Path, part: str, model: type[M], key: Callable[[Any], tuple[str, Any]], problems: list[Problem]
) -> dict[str, M]:
    """The items of list files (a file may also hold one item, or a list under the part's name)."""
    result: dict[str, M] = {}
    for file in _documents(folder, part):
        try:
            value = read(file)
        except WinayError as error:
            problems.extend(error.problems)
            continue
        value = value[part] if isinstance(value, dict) and part in value else value
        for item in value if isinstance(value, list) else [value]:
            try:
                name, made = key(validate(model, item, file))
            except WinayError as error:
                problems.extend(error.problems)
                continue
            if name in result:
                before = result[name].at
                problems.append(
                    Problem(
                        made.at, '"{name}" is defined twice, first at {before}', facts={"name": name, "before": before}
                    )
                )
            result[name] = made
    return result


def _named(folder: Path, part: str, model: type[M], problems: list[Problem]) -> dict[str, M]:
    """The items of `part: {name: item}` files."""
    result: dict[str, M] = {}
    for file in _documents(folder, part):
        try:
            value = read(file)
        except WinayError as error:
            problems.extend(error.problems)
            continue
        for name, item in (value.get(part, value) if isinstance(value, dict) else {}).items():
            if name == AT:
                continue
            try:
                made = validate(model, item, file)
            except WinayError as error:
                problems.extend(error.problems)
                continue
            if name in result:
                problems.append(Problem(made.at, '"{name}" is defined twice', facts={"name": name}))
            result[name] = made
    return result
