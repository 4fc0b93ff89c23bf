"""YAML read as text with its lines: `010101` is a code and `no` a word until a model types them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, SequenceNode, YAMLError, compose

from winay.core.problems import At, Problem, WinayError, nearest
from winay.core.text import Text, say

AT = "\0at"  # the key under which a mapping carries its own place; no YAML text can contain it
MAX_BYTES = 4_000_000
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Text stays text; in C where the wheel has it: sixteen times as fast, and every command reads a programme."""
PLAIN_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
EXPECTED = {
    "string": "text",
    "dict": "a mapping (key: value)",
    "model": "a mapping (key: value)",
    "list": "a list",
    "tuple": "a list",
    "missing": "a list of two",
    "too_long": "a list of two",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "date": "a day such as 2026-05-31",
    "literal_error": "one of {expected}",
    "string_pattern_mismatch": "text of the form {pattern}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}
"""What pydantic found amiss (or its first word) -> what was expected; whatever else it finds is told in its own words."""
T = TypeVar("T")
M = TypeVar("M", bound="Written")


class Written(BaseModel):
    """What one YAML mapping says; knows the file and line where it was written."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    at: At | None = Field(None, alias=AT, exclude=True, repr=False)


@dataclass(frozen=True)
class Names:
    """Of a field: its text (each text of its list, each key of its mapping) names a `thing` that is defined elsewhere."""

    thing: str


def only_one(written: Written, *fields: str) -> str:
    """The one of these fields that is written. Raises ValueError where none is, or several are."""
    found = [field for field in fields if getattr(written, field) is not None]
    if len(found) == 1:
        return found[0]
    facts = {"names": ", ".join(fields), "found": ", ".join(found) or "-"}
    raise ValueError(say("exactly one of {names} is written; found {found}", **facts))


def inside(value: object) -> Iterator[Written]:
    """Everything that is written inside a value, itself first."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Written):
            yield part
            part = part.__dict__
        if isinstance(part, dict) and not isinstance(part, Text):
            part = list(part.values())
        if isinstance(part, list | tuple):
            waiting += reversed(part)


def names_of(written: Written) -> Iterator[tuple[str, str]]:
    """(what it is a name of, the name) for each name that its own fields use."""
    for field, thing in _naming(type(written)):
        value = getattr(written, field)
        yield from ((thing, name) for name in ([value] if isinstance(value, str) else value or ()))


@cache
def _naming(model: type[Written]) -> list[tuple[str, str]]:
    fields = model.model_fields.items()
    return [(field, names.thing) for field, info in fields for names in info.metadata if isinstance(names, Names)]


def without_place(value: Any) -> Any:
    """The mapping without the key that says where it stands."""
    return {k: v for k, v in value.items() if k != AT} if isinstance(value, dict) else value


def _as_list(value: object) -> object:
    return value if isinstance(value, list) or value is None else [value]


Named = Annotated[dict[str, T], BeforeValidator(without_place)]
"""A mapping whose keys are names that the author chose."""
Listed = Annotated[list[T], BeforeValidator(_as_list)]
"""One or several: `code: 90681` is short for `code: [90681]`."""


def read(path: Path) -> Any:
    """The document as dicts, lists, text and None; each dict carries its place under `AT`.

    Raises WinayError for what is not YAML, has several documents, doubled keys, tags or aliases, or is too large.
    """
    try:
        node = compose(text_of(path), Loader=LOADER)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise unreadable(path, "not readable as YAML: {why}", line, why=error.problem) from error
    except (YAMLError, RecursionError) as error:
        raise unreadable(path, "not readable as YAML: {why}", why=str(error)) from error
    problems: list[Problem] = []
    value = _plain(node, str(path), problems, set()) if node is not None else None
    if problems:
        raise WinayError(problems)
    return value


def places_of(path: Path, *keys: str) -> dict[str, At]:
    """Where each key (of a list: each text) below these keys of the document is written; it can be read."""
    found: dict[str, At] = {}
    for name, value in compose(text_of(path), Loader=LOADER).value:
        inside = [key for key, _ in value.value] if isinstance(value, MappingNode) else [value]
        for node in value.value if isinstance(value, SequenceNode) else inside:
            if name.value in keys and isinstance(node, ScalarNode):
                found[node.value] = At(str(path), node.start_mark.line + 1)
    return found


def text_of(path: Path) -> str:
    """What somebody wrote by hand. Raises WinayError where it is too large or not UTF-8."""
    if path.stat().st_size > MAX_BYTES:
        raise unreadable(path, "the file has more than {limit} bytes", limit=MAX_BYTES)
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(path, "the file is not UTF-8 text (byte {byte})", byte=error.start) from error


def unreadable(path: Path, found: str, line: int | None = None, **facts: object) -> WinayError:
    """Nothing can be read from the file, for one reason."""
    return WinayError(Problem(At(str(path), line), found, facts=facts))


def _plain(node: Node, file: str, problems: list[Problem], seen: set[int]) -> Any:
    at = At(file, node.start_mark.line + 1)
    if id(node) in seen and not isinstance(node, ScalarNode):
        problems.append(Problem(at, "aliases (*name) are not read", hint="write it out"))
        return None
    seen.add(id(node))
    if node.tag.removeprefix("tag:yaml.org,2002:") not in PLAIN_TAGS:
        problems.append(Problem(at, "tags ({tag}) are not read", hint="remove it", facts={"tag": node.tag}))
    if isinstance(node, ScalarNode):
        return None if not node.style and node.value in ("", "~", "null") else node.value
    if isinstance(node, SequenceNode):
        return [_plain(item, file, problems, seen) for item in node.value]
    assert isinstance(node, MappingNode)
    result: dict[str, Any] = {AT: at}
    for key, value in node.value:
        here = At(file, key.start_mark.line + 1)
        if not isinstance(key, ScalarNode):
            problems.append(Problem(here, "a list or a mapping stands where a key is read", hint="write it in quotes"))
        elif key.value in result:
            facts = {"key": key.value}
            problems.append(Problem(here, '"{key}" is written twice', hint="keep one of them", facts=facts))
        else:
            result[key.value] = _plain(value, file, problems, seen)
    return result


def validate(model: type[M], value: Any, file: Path | str) -> M:
    """The typed model of what was read. Raises WinayError with every problem, each at its line."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = [(*_written(detail["loc"], value, At(str(file))), detail) for detail in error.errors()]
        steps = [path for path, _, _ in found]
        deepest = [one for one in found if not any(path[: len(one[0])] == one[0] != path for path in steps)]
        raise WinayError([_problem(detail, path, at, model) for path, at, detail in deepest]) from error


def _written(loc: Iterable[Any], value: Any, at: At) -> tuple[list[Any], At]:
    """What of a place in a model was written, the names of alternatives left out, and where its innermost mapping is."""
    path = []
    for step in [*loc, AT]:
        if isinstance(value, dict):
            at = value.get(AT) or at
        if step in value if isinstance(value, dict) else isinstance(value, list | tuple) and step in range(len(value)):
            path.append(step)
            value = value[step]
    return [step for step in path if step != AT], at


def _problem(detail: Any, path: list[Any], at: At, model: type[BaseModel]) -> Problem:
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if detail["type"] == "extra_forbidden":
        close = nearest(name, _keys(model))
        hint = 'did you mean "{close}"?' if close else "remove it; what can be written: winay programme schema"
        return Problem(at, 'the key "{name}" is not known here', hint=hint, facts={"name": name, "close": close})
    if detail["type"] == "missing" and not name.isdigit():
        hint = "write it; what it can hold: winay programme schema"
        return Problem(at, 'the key "{name}" is missing', hint=hint, facts={"name": name})
    expected = EXPECTED.get(detail["type"]) or EXPECTED.get(detail["type"].partition("_")[0], "{why}")
    shown = detail["input"] if isinstance(detail["input"], str | int | None) else "…"
    why = detail["msg"].removeprefix("Value error, ")
    facts = {"name": ".".join(map(str, path)), "found": shown, "why": why} | detail.get("ctx", {})
    facts["expected"] = str(facts.get("expected")).replace(" or ", ", ")  # 'in' or 'out'
    return Problem(at, "{name}: found {found}", expected, facts=facts)


@cache
def _keys(model: type[BaseModel]) -> set[str]:
    """Every key that can be written in a model and inside it."""
    schema = model.model_json_schema(by_alias=True)
    return {key for part in (schema, *schema.get("$defs", {}).values()) for key in part.get("properties", {})}
