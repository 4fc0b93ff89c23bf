"""A standard tried on a few rows, for whoever writes one: YAML and two CSV files in, one row a subject and delivery out."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from winay.actions.rows import Row, found, read_rows
from winay.core.ages import days_of
from winay.core.problems import At, Problem, WinayError, nearest
from winay.engine import hands
from winay.engine.conditions import Conditions, leaves, tested
from winay.engine.plan import NO_DAY, Plan
from winay.engine.plan import compile as compiled
from winay.programme.check import check
from winay.programme.criteria import Criterion
from winay.programme.legal import Legal
from winay.programme.load import Head, Programme
from winay.programme.locate import programme as shipped
from winay.programme.services import Matcher
from winay.programme.standards import Anchor, Standard
from winay.programme.yaml_text import AT, inside, names_of, read, validate

NO_END = timedelta(days=12_000)
"""An episode without an end: `end` lies so far after the judging day, and is shown as no limit."""
SPREAD = 15_000
"""Days between the first and the last day of the rows: what the kernel's small numbers hold, with NO_END."""
NUMBER = re.compile(r"-?\d+(\.\d+)?")
TRIED = ("all_of", "any_of", "at_least", "attribute")
SHOWN = ("delivery", "received", "status", "valid", "from", "due", "by", "until")


def try_standard(file: Path, subjects: Path, records: Path, on: date, default: str) -> list[Row]:
    """What the first standard of `file` owes each subject on a day: subject and SHOWN, in the order of the subjects.

    subjects: `subject, anchor`, optionally `end`, and attributes that `who` asks for; several rows of one subject are
    episodes. records: `subject, date`, optionally `code`: the service it proves, by its own name or by a code of the
    programme `default`. Raises WinayError with every problem of the three files.
    """
    tried = _programme(file)
    listed, problems = read_rows(subjects, ("subject", "anchor"), ("anchor", "end"))
    delivered, more = read_rows(records, ("subject", "date"), ("date",))
    known = {row["subject"] for row in listed}
    for row in (row for row in delivered if row["subject"] and row["subject"] not in known):
        close = nearest(row["subject"], known)
        hint, facts = 'did you mean "{close}"?' if close else "", {"close": close, "file": subjects.name}
        more.append(found(row[AT], "subject", row["subject"], "a subject of {file}", hint, **facts))
    for name in (name for name, attribute in tried.attributes.items() if attribute.type == "decimal"):
        odd = [row for row in listed if row.get(name) and not NUMBER.fullmatch(row[name])]
        problems += [found(row[AT], name, row[name], "a number such as 2500 or 10.5") for row in odd]
    if problems := [*problems, *more]:
        raise WinayError(problems)
    name, standard = next(iter(tried.standards.items()))
    units = _chosen(listed, standard.episode, on)
    rows = _evaluated(tried, units, _proved(tried, delivered, default), on, subjects) if units else []
    ours = [(units[row["subject"]]["subject"], row) for row in rows if row["standard"] == name]
    far = on + NO_END
    return [{"subject": who} | {key: None if row[key] == far else row[key] for key in SHOWN} for who, row in ours]


def _programme(file: Path) -> Programme:
    """A small programme around the standards of a file; legal basis, product and rule version may be left out."""
    value = read(file)
    said = value if isinstance(value, dict) and "standards" in value else {"standards": value}
    listed = said["standards"] if isinstance(said["standards"], list) else [said["standards"]]
    shared = {key: text for key, text in said.items() if key in ("month_end", "grace")}
    if not listed[0] or set(said) - {AT, "standards", *shared}:
        hint = "write one standard, or a list of them; `standards:`, `month_end:` and `grace:` may stand around it"
        raise WinayError(Problem(At(str(file)), "no standard can be read here", hint=hint))
    items = [validate(Standard, {**shared, **item} if isinstance(item, dict) else item, file) for item in listed]
    head = {"programme": "try", "name": "try", "levels": ["country"], "attributes": _attributes(items)}
    head["subjects"] = {s.subject: {"name": s.subject} for s in items}
    services = {name for part in inside(items) for thing, name in names_of(part) if thing == "service"}
    matchers = {name: Matcher.model_validate({"code": name}) for name in services}
    bare = {s.standard: _bare(s) for s in items}
    tried = Programme(file, "", Head.model_validate(head), services=matchers, standards=bare)
    if problems := check(tried):
        raise WinayError(problems)
    return tried


def _bare(standard: Standard) -> Standard:
    """Without what a trial does not ask; the anchor is the day given, unless it is another standard's delivery."""
    given = isinstance(standard.anchor, Anchor) and not standard.anchor.delivery
    legal = Legal.model_validate({"confidence": "proposed"})
    anchor = "birth" if given else standard.anchor
    return standard.model_copy(update={"legal": legal, "rules": None, "product": None, "anchor": anchor})


def _attributes(standards: list[Standard]) -> dict[str, Any]:
    """The attributes that their conditions ask for, of the type the tests need."""
    asked: dict[str, Any] = {}
    for c in (part for part in inside(standards) if isinstance(part, Criterion)):
        if c.kind not in TRIED:
            raise WinayError(Problem(c.at, "`{kind}` cannot be tried here: only attributes", facts={"kind": c.kind}))
        if c.attribute:
            kind = "set" if c.only or c.any_ else "decimal" if c.from_ or c.to or c.below else "text"
            asked[c.attribute] = {"type": kind}
    return asked


def _chosen(rows: list[Row], episode: str, on: date) -> list[Row]:
    """The episodes that count as of `on`, in the order of the file."""
    if episode == "each":
        return rows
    begun = sorted((row["anchor"], row["subject"]) for row in rows if row["anchor"] <= on)
    best = {subject: anchor for anchor, subject in (begun[::-1] if episode == "first" else begun)}
    return [row for row in rows if row["anchor"] == best.get(row["subject"])]


def _proved(tried: Programme, rows: list[Row], default: str) -> dict[str, set[tuple[int, date]]]:
    """(service number, day) of each subject's records; a record without the column `code` proves every service."""
    numbers = tried.service_numbers
    codes = sorted({row["code"] or "" for row in rows if "code" in row} - set(numbers))
    proves = {name: [name] for name in numbers} | (_codes(codes, shipped(default)) if codes else {})
    proved: dict[str, set[tuple[int, date]]] = {row["subject"]: set() for row in rows}
    for row in rows:
        services = proves.get(row["code"] or "", []) if "code" in row else numbers
        proved[row["subject"]] |= {(numbers[service], row["date"]) for service in services if service in numbers}
    return proved


def _codes(codes: list[str], programme: Programme) -> dict[str, list[str]]:
    """Code -> the services of a programme that a lone item with it proves, of any type that counts."""
    from winay.records.matching import COLUMNS, services

    types = programme.head.counted_types or [""]
    number = np.repeat(np.arange(len(codes)), len(types))
    zero = np.zeros(len(number), np.int32)
    items: dict[str, Any] = {name: pa.nulls(len(number), pa.string()) for name in COLUMNS}
    items |= {name: pa.nulls(len(number), pa.float64()) for name in ("haemoglobin", "weight", "height")}
    items |= {"contact": number, "person": number, "code": np.array(codes)[number], "type": types * len(codes)}
    items |= {"day": pa.array(zero).cast(pa.date32()), "known": zero, "gone": zero + 1}
    proved = services(programme, pa.table(items))
    names = {number: name for name, number in programme.service_numbers.items()}
    result: dict[str, list[str]] = {}
    for n, service in zip(proved["person"].to_pylist(), proved["service"].to_pylist(), strict=True):
        result.setdefault(codes[n], []).append(names[service])
    return result


def _evaluated(
    tried: Programme, units: list[Row], proved: dict[str, set[tuple[int, date]]], on: date, file: Path
) -> list[Row]:
    """The kernel's answer. A unit's birth is the end of its episode, its anchor the day given."""
    seen = [sorted(one for one in proved.get(unit["subject"], ()) if one[1] <= on) for unit in units]
    records = [one for unit in seen for one in unit]
    ends, begun = [unit.get("end") or on + NO_END for unit in units], [unit["anchor"] for unit in units]
    every = [on, *ends, *begun, *(day for _, day in records)]
    if (max(every) - min(every)).days > SPREAD + NO_END.days:
        found, facts = "the days of the rows lie too far apart", {"n": SPREAD}
        raise WinayError(Problem(At(str(file)), found, "at most {n} days", facts=facts))
    plan = compiled(list(tried.schedules.values()), tried.service_numbers, days_of(min(every)), days_of(max(every)))
    anchors = np.repeat(_days(begun)[:, None], len(plan.tracks), axis=1)
    anchors[:, [isinstance(track.schedule.anchor, Anchor) for track in plan.tracks]] = NO_DAY
    offsets = np.cumsum([0, *map(len, seen)]).astype(np.int64)
    services, days = np.array([service for service, _ in records], np.int16), _days([day for _, day in records])
    inside = _inside(tried, plan, units)
    judged = _days([on] * len(units))
    rows: list[Row] = hands.statuses(plan, _days(ends), anchors, offsets, services, days, judged, *inside).to_pylist()
    return rows


def _inside(tried: Programme, plan: Plan, units: list[Row]) -> list[Any]:
    """[unit, track], twice: whom a route fits, and to whom its standard applies."""
    both = [[t.route.who for t in plan.tracks], [t.schedule.who for t in plan.tracks]]
    columns: dict[Any, Any] = {}
    for name, leaf in leaves([who for whos in both for who in whos], tried).items():
        texts = pa.chunked_array([[unit.get(str(leaf.attribute)) for unit in units]], pa.string())
        columns[name] = tested(leaf, texts, tried.attributes[str(leaf.attribute)].type)[:-1]
    holds = Conditions(tried, columns, 1).holds
    masks = [np.stack([np.broadcast_to(holds(who), len(units)) for who in whos], axis=1) for whos in both]
    return [np.ascontiguousarray(mask == 1) for mask in masks]


def _days(days: list[date]) -> Any:
    return np.array([days_of(day) for day in days], np.int32)
