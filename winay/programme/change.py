"""A change of policy that somebody thinks of, as a file: a changed copy of a programme, checked like any other."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from winay.core.problems import At, Problem, WinayError, unknown_name
from winay.programme.check import check
from winay.programme.legal import Words
from winay.programme.load import PARTS, Head, Programme, gathered, put
from winay.programme.yaml_text import AT, Listed, Named, Written, places_of, read, text_of, validate


class Change(Written):
    """set: path -> value (an empty one takes it out); add: part -> items, as in the programme's own files.

    A path is `part/name` and, in `set`, goes on into the item: `standards/S/deliveries/1/by`, numbers from 1. Of what
    programme.yaml says it begins with `programme/` and the programme's name.
    """

    change: Words
    set_: Named[Any] = Field({}, alias="set")
    add: Named[Any] = {}
    remove: Listed[str] = []


def changed(programme: Programme, file: Path) -> tuple[Change, Programme]:
    """What the file says, and the programme under it. Raises WinayError with all problems, each at its line."""
    change = validate(Change, read(file), file)
    models: dict[str, tuple[type[Written], str | None]] = {**PARTS, "programme": (Head, "programme")}
    parts: dict[str, dict[str, Any]] = {part: dict(items) for part, items in programme.parts.items()}
    parts["programme"] = {programme.name: programme.head}
    at, problems = places_of(file, "set", "add", "remove"), list[Problem]()
    for path in change.remove:
        with gathered(problems):
            part, name, _ = _found(path, parts, at[path])
            del parts[part][name]
    for path, value in change.set_.items():
        with gathered(problems):
            part, name, steps = _found(path, parts, at[path])
            model, key = models[part]
            item = validate(model, _with(parts[part][name], steps, value, at[path]), file)
            renamed = getattr(item, key) if key else name
            parts[part] = {renamed if n == name else n: item if n == name else x for n, x in parts[part].items()}
    for part, items in change.add.items():
        with gathered(problems):
            if part not in PARTS:
                raise WinayError(unknown_name(at[part], "part of the programme", part, PARTS))
            put(part, items, file, parts[part], problems)
    if problems:
        raise WinayError(problems)
    head = next(iter(parts.pop("programme").values()))
    digest = hashlib.sha256(f"{programme.hash}\0{text_of(file)}".encode()).hexdigest()[:16]
    made = replace(programme, hash=digest, head=head, **parts)  # type: ignore[arg-type]
    if problems := check(made):
        raise WinayError(problems)
    return change, made


def _found(path: str, parts: dict[str, dict[str, Any]], at: At | None) -> tuple[str, str, list[str]]:
    """(part, name, steps into the item) of a path; names may have strokes of their own."""
    part, _, rest = path.partition("/")
    if part not in parts:
        raise WinayError(unknown_name(at, "part of the programme", part, parts))
    names = [name for name in parts[part] if f"{rest}/".startswith(f"{name}/")]
    if not names:
        raise WinayError(unknown_name(at, part.removesuffix("s"), rest.partition("/")[0], parts[part]))
    name = max(names, key=len)
    return part, name, [step for step in rest[len(name) :].split("/") if step]


def _with(value: Any, steps: list[str], new: Any, at: At) -> Any:
    """What is written, opened along the steps as far as what is set; all else stays as it was validated."""
    if not steps:
        return new
    step, *rest = steps
    if isinstance(value, list | tuple):
        items = list(value)
        if not step.isdigit() or not 1 <= int(step) <= len(items) + 1:
            facts = {"step": step, "last": len(items) + 1}
            raise WinayError(Problem(at, 'found "{step}"', "a number from 1 to {last}", facts=facts))
        place = slice(int(step) - 1, int(step))
        inner = _with(next(iter(items[place]), None), rest, new, at)
        items[place] = [] if inner is None else [inner]
        return items
    if isinstance(value, Written):
        fields = {name: info.alias or name for name, info in type(value).model_fields.items()}
        value = {fields[name]: getattr(value, name) for name in value.model_fields_set}
    known = value if isinstance(value, dict) else {}
    opened = {**known, step: _with(known.get(step), rest, new, at), AT: at}
    return {name: part for name, part in opened.items() if part is not None}
