"""What changed between two programmes, part by part, in words a jurist reads; and which indicators that reaches."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from winay.core.ages import Age
from winay.core.text import Text, say
from winay.programme import words
from winay.programme.criteria import Criterion
from winay.programme.legal import Legal, Reading
from winay.programme.load import Programme
from winay.programme.services import Matcher
from winay.programme.standards import Standard
from winay.programme.yaml_text import Written, inside, names_of

Row = dict[str, str]
ADDED, REMOVED, CHANGED = "added", "removed", "changed"
IN_HEAD = ("rules", "attributes", "subjects", "entities", "terms", "level_names")
"""What programme.yaml lists by name: told item by item."""
AS_MEANT = {"service", "gap", "gaps", "grace", "catch_up", "deliveries", "variants"}
"""Of a standard: told of each delivery, as the normal form has it."""
LABELS = {
    "age": "age", "anchor": "what ages are counted from", "entity": "who answers for it", "exclude": "who is taken out",
    "legal": "legal basis", "levels": "levels that deliver it", "met": "what must hold", "name": "name",
    "owed_to": "to whom it is owed", "product": "product", "reading": "reading taken", "rule": "what it asks",
    "who": "to whom it applies",
}  # fmt: skip
"""Part of an item -> how people call it; all others by their key."""
QUIET = {"name", "legal", "reading", "product", "publishes", "proxy", "note"}
"""What moves no verdict when it changes."""
COUNTS = {
    "standard": "standards", "delivery": "standards", "since": "standards", "service": "services", "event": "events",
    "package": "packages", "attribute": "attributes", "place rule": "attributes",
}  # fmt: skip
"""What a verdict is made of: the kind of name by which a rule asks for it -> its part of the programme."""
EVERYWHERE = {("programme", "month_end"), ("programme", "counted_types"), ("subjects", ""), ("reference", "")}
"""(part, what) that every verdict rests on; without `what`, whatever of the part."""


def diff(before: Programme, after: Programme) -> list[Row]:
    """One row a difference: part, name, title (its name in words), change, what (of it), before, after.

    Of several lines only those that differ are told.
    """
    old, new, rows = _parts(before), _parts(after), []
    for part in old:
        for name in dict.fromkeys([*old[part], *new[part]]):
            was, now = old[part].get(name), new[part].get(name)
            title = str(getattr(now or was, "name", None) or name)
            row = {"part": part, "name": name, "title": title, "change": CHANGED, "what": "", "before": "", "after": ""}
            if was is None or now is None:
                rows.append(row | {"change": REMOVED if now is None else ADDED})
            elif was is not now and _plain(was) != _plain(now):
                rows += [row | told for told in _differences(_said(was, before), _said(now, after))]
    return rows


def label(what: str) -> str:
    """A part of an item as people call it: deliveries/2 is delivery 2."""
    kinds = {"deliveries": "delivery {number}", "variants": "variant {number}"}
    kind, _, rest = what.partition("/")
    if kind not in kinds or not rest:
        return say(LABELS.get(what, what))
    number, _, inner = rest.partition("/")
    return ", ".join([say(kinds[kind], number=number), *([label(inner)] if inner else [])])


def reached(rows: Sequence[Row], before: Programme, after: Programme) -> list[str]:
    """The keys of the indicators whose verdicts the differences can move."""
    if any(EVERYWHERE & {(row["part"], row["what"]), (row["part"], "")} for row in rows if row["what"] not in QUIET):
        return list(dict.fromkeys([*before.indicators, *after.indicators]))
    moved = {(row["part"], row["name"]) for row in rows if row["what"] not in QUIET}
    sides = [(key, item, parts) for parts in map(_parts, (before, after)) for key, item in parts["indicators"].items()]
    found = (key for key, item, parts in sides if moved & {("indicators", key), *_made_of(item, parts)})
    return list(dict.fromkeys(found))


def _parts(programme: Programme) -> dict[str, Mapping[str, Any]]:
    """Everything that has a name, by part; of reference tables what names their content."""
    head = {part: getattr(programme.head, part) for part in IN_HEAD}
    tables = sorted((programme.path / "reference").glob("*"))
    reference = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in tables}
    return {"programme": {"programme.yaml": programme.head}, **head, **programme.parts, "reference": reference}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Row]:
    for what in dict.fromkeys([*old, *new]):
        (data, was), (other, now) = old.get(what, (None, "")), new.get(what, (None, ""))
        if data != other:
            yield {"what": what, "before": _beside(was, now), "after": _beside(now, was)}


def _beside(text: str, other: str) -> str:
    """The lines that the other has not; all where it has them all."""
    return "\n".join([line for line in text.split("\n") if line not in other.split("\n")]) or text


def _said(item: Any, programme: Programme) -> dict[str, tuple[Any, str]]:
    """What an item says, part by part: (as data, in words)."""
    if not isinstance(item, Written):
        return {"": (item, str(item))}
    data = _plain(item)
    if item is programme.head:
        data = {field: value for field, value in data.items() if field not in IN_HEAD}
    said = {field: (value, _words(getattr(item, field), programme)) for field, value in data.items()}
    if isinstance(item, Matcher | Criterion):
        rule = {field: value for field, value in data.items() if field not in QUIET}
        return {field: said[field] for field in QUIET & data.keys()} | {"rule": (rule, _words(item, programme))}
    if isinstance(item, Standard):
        meant = programme.schedules[item.standard]
        said = {field: told for field, told in said.items() if field not in AS_MEANT}
        said["anchor"] = data["anchor"], words.anchor(meant, programme)
        for r, route in enumerate(meant.routes, start=1):
            under = f"variants/{r}/" if item.variants else ""
            if under:
                fits = [part for part in (route.first, route.who) if part]
                said[f"{under}who"] = _plain(fits), _words(fits, programme)
            for d in route.deliveries:
                said[f"{under}deliveries/{d.number}"] = d, words.delivery(d, meant, programme)
    return said


def _plain(value: Any) -> Any:
    """As data, whatever the file and line it was written at."""
    if isinstance(value, Written):
        return {field: _plain(getattr(value, field)) for field in type(value).model_fields if field != "at"}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _words(value: Any, programme: Programme) -> str:
    match value:
        case None:
            return ""
        case bool():
            return say("yes") if value else say("no")
        case Age():
            return words.age(value)
        case Criterion():
            return "\n".join(words.criterion(value, programme))
        case Matcher():
            return words.matcher(value, programme)
        case Legal():
            return words.basis(value, None)
        case Reading():
            return words.basis(None, [value]).partition("\n\n")[2]
        case Written():
            fields = [(field, getattr(value, field)) for field in type(value).model_fields if field != "at"]
            return ", ".join(f"{say(field)}: {_words(part, programme)}" for field, part in fields if part)
        case list() | tuple():
            return ("\n" if any(isinstance(part, Written) for part in value) else ", ").join(
                _words(part, programme) for part in value
            )
        case dict() if not isinstance(value, Text):
            return "\n".join(f"{name}: {_words(part, programme)}" for name, part in value.items())
    return str(value)


def _made_of(item: Written, parts: Mapping[str, Mapping[str, Any]]) -> set[tuple[str, str]]:
    """(part, name) of everything that a rule's verdicts are made of, however deep."""
    found, waiting = set[tuple[str, str]](), [item]
    for one in waiting:
        for thing, name in (named for part in inside(one) for named in names_of(part) if named[0] in COUNTS):
            part = COUNTS[thing]
            for piece in name.removeprefix("provider:").split("." if part == "attributes" else "/"):
                if piece in parts[part] and (part, piece) not in found:
                    found.add((part, piece))
                    waiting.append(parts[part][piece])
    return found
