"""Every key of every file of a programme made wrong in turn: always told, at its file and line, with what to do about it."""

import copy
import shutil
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import yaml

from winay.core.problems import Problem, WinayError
from winay.engine import plan
from winay.programme.load import load, schemas
from winay.programme.remarks import ORDERED, remarks
from winay.programme.yaml_text import Names, Written
from winay.records.tables import check

WHOLE = Path(__file__).parent / "whole"
GONE = "\0gone"
WRONG = {
    "a word": "zzz",
    "a list": [["zzz"]],
    "a mapping": {"Zz": {"Zz": "1"}},
    "nothing": None,
    "misspelt": GONE,  # its key becomes one that nobody knows
    "left out": GONE,
}
Path_ = tuple[str | int, ...]


class Field(NamedTuple):
    """A key as it stands in a file: of which model it is, and whether it must be there."""

    file: Path
    path: Path_
    model: str
    required: bool
    schema: Any


def models(root: type[Written]) -> Iterator[type[Written]]:
    for model in root.__subclasses__():
        yield model
        yield from models(model)


def read(file: Path) -> Any:
    return yaml.load(file.read_text("utf-8"), Loader=yaml.CBaseLoader)


def fields() -> Iterator[Field]:
    """One place for each key of each model that the files write."""
    seen = set()
    for part, schema in schemas().items():
        file = WHOLE / f"{part}.yaml"
        for field in _fields(file, read(file), schema, schema.get("$defs", {}), ()):
            if (field.model, field.path[-1]) not in seen:
                seen.add((field.model, field.path[-1]))
                yield field


def _fields(file: Path, value: Any, schema: Any, defs: Any, path: Path_) -> Iterator[Field]:
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    for one in schema.get("anyOf", ()):
        yield from _fields(file, value, one, defs, path)
    if schema.get("type") == "array":
        for n, item in enumerate(value if isinstance(value, list) else [value]):
            at = (*path, n) if isinstance(value, list) else path
            yield from _fields(file, item, schema.get("items", {}), defs, at)
    if not isinstance(value, dict):
        return
    if isinstance(schema.get("additionalProperties"), dict):
        for name, item in value.items():
            yield from _fields(file, item, schema["additionalProperties"], defs, (*path, name))
    known = schema.get("properties", {})
    if known.keys() >= value.keys():
        for name, item in value.items():
            yield Field(file, (*path, name), schema["title"], name in schema.get("required", ()), known[name])
            yield from _fields(file, item, known[name], defs, (*path, name))


FIELDS = list(fields())
NAMING = {
    (model.__name__, info.alias or name)
    for model in models(Written)
    for name, info in model.model_fields.items()
    if any(isinstance(part, Names) for part in info.metadata)
}
"""Keys whose text must be the name of something."""
BESIDE = [(low.rstrip("_"), high.rstrip("_")) for names in ORDERED for low, high in combinations(names, 2)]


def test_the_files_write_every_key():
    models = {name: part for schema in schemas().values() for name, part in schema["$defs"].items() if name != "At"}
    models["Head"] = schemas()["programme"]
    written = {(field.model, field.path[-1]) for field in FIELDS}
    keys = {(model, key) for model, part in models.items() for key in part["properties"] if key != "\0at"}
    assert keys - written == set()


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(WHOLE, tmp_path / "whole"))


def told(folder: Path) -> list[Problem]:
    """What `programme check` says of the folder."""
    try:
        programme = load(folder)
        problems = check(programme) or remarks(programme, date(2026, 1, 1))
        events = [plan.event_schedule(name, event) for name, event in programme.events.items()]
        plan.compile([*events, *programme.schedules.values()], programme.service_numbers, 0, 0)
        return problems
    except WinayError as error:
        return error.problems


def lines(text: str, path: Path_) -> set[int]:
    """The lines on which the mappings around a key begin, and those that the key and its value take."""
    node = yaml.compose(text, Loader=yaml.CBaseLoader)
    found = set()
    for step in path:
        if isinstance(node, yaml.SequenceNode):
            node = node.value[step]
            continue
        found.add(node.start_mark.line + 1)
        key, value = next(((k, v) for k, v in node.value if k.value in (step, f"{step}zz")), (node, node))
        node = value
    return found | {*range(key.start_mark.line + 1, node.end_mark.line + 2)}


def broken(document: Any, path: Path_, how: str) -> Any:
    document = copy.deepcopy(document)
    around = value_at(document, path[:-1])
    if WRONG[how] != GONE:
        around[path[-1]] = WRONG[how]
    else:
        value = around.pop(path[-1])
        if how == "misspelt":
            around[f"{path[-1]}zz"] = value
    return document


def sound(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, line and remedy, in both languages, and nothing in the words of a library."""
    assert problem.at is not None, problem
    count = len(Path(problem.at.file).read_text("utf-8").splitlines())
    assert problem.at.line is not None and 1 <= problem.at.line <= count, problem
    for language in ("en", "es"):
        monkeypatch.setenv("WINAY_LANG", language)
        words = problem.told()
        assert "\n" in words, f"no remedy: {words}"
        assert not any(foreign in words for foreign in ("Input should", "Value error", "At(", "validat")), words


def ways(field: Field, value: Any) -> tuple[set[str], set[str]]:
    """How a key is made wrong: in the ways that must be told and in one more; and those that must."""
    must = {"misspelt", "a list" if isinstance(value, dict) else "a mapping"}
    must |= {"left out"} if field.required else set()
    must |= {"a word"} if (field.model, field.path[-1]) in NAMING else set()
    return must | {Random(str(field.path)).choice(sorted(WRONG))}, must


@pytest.mark.parametrize("model", sorted({field.model for field in FIELDS}))
def test_each_key_made_wrong_is_told(model, folder, monkeypatch):
    """In Spanish as in English; what is still right is only remarked on."""
    for field in (field for field in FIELDS if field.model == model):
        document, target = read(field.file), folder / field.file.name
        value = value_at(document, field.path)
        some, must = ways(field, value)
        for how in sorted(some):
            text = write(target, broken(document, field.path, how))
            found = told(folder)
            for problem in found:
                sound(problem, monkeypatch)
            at_it = lines(text, field.path)
            here = any(p.at.file == str(target) and p.at.line in at_it for p in found)
            there = any(names(p, set(words(value))) for p in found)
            assert here or there or (not found and how not in must), (field.path, how, [p.told() for p in found])
        shutil.copy(field.file, target)


def test_a_reversed_range_is_told(folder, monkeypatch):
    """Two limits that stand beside each other change places."""
    tried = set()
    for field in FIELDS:
        document, target = read(field.file), folder / field.file.name
        around = value_at(document, field.path[:-1])
        other = next((high for low, high in BESIDE if low == field.path[-1] and high in around), None)
        if other is None:
            continue
        around[field.path[-1]], around[other] = around[other], around[field.path[-1]]
        text = write(target, document)
        found = told(folder)
        for problem in found:
            sound(problem, monkeypatch)
        assert any(p.at.file == str(target) and p.at.line in lines(text, field.path) for p in found), field
        tried.add((field.model, field.path[-1]))
        shutil.copy(field.file, target)
    assert tried >= {
        ("DeliveryLine", "valid"),
        ("Gap", "by"),
        ("Window", "from"),
        ("InForce", "since"),
        ("Criterion", "from"),
    }


def write(target: Path, document: Any) -> str:
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, width=200)
    target.write_text(text, "utf-8")
    return text


def names(problem: Problem, defined: set[str]) -> bool:
    """Whether what is missing elsewhere is what is no longer defined here."""
    return not defined.isdisjoint(map(str, problem.facts.values()))


def words(value: Any) -> Iterator[str]:
    """Every text of a document, keys too."""
    if isinstance(value, dict | list):
        yield from (value if isinstance(value, dict) else ())
        for part in value.values() if isinstance(value, dict) else value:
            yield from words(part)
    else:
        yield value


def value_at(document: Any, path: Path_) -> Any:
    for step in path:
        document = document[step]
    return document
