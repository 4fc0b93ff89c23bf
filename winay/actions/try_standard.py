"""A standard tried on a few rows, for whoever writes one: YAML and two CSV files in, one row a subject and delivery out."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from winay.actions.rows import Rows
from winay.core.ages import days_of
from winay.core.problems import At, Problem, WinayError
from winay.engine import hands
from winay.engine.conditions import Conditions
from winay.engine.plan import NO_DAY, Plan
from winay.engine.plan import compile as compiled
from winay.programme.check import check
from winay.programme.criteria import Criterion
from winay.programme.indicators import Attribute
from winay.programme.legal import Legal
from winay.programme.load import Head, Programme
from winay.programme.locate import programme as shipped
from winay.programme.services import Matcher
from winay.programme.standards import Anchor, Standard
from winay.programme.yaml_text import AT, read, validate

NO_END = timedelta(days=12_000)
"""An episode without an end: `end` lies so far after the judging day, and is shown as no limit."""
SPREAD = 15_000
"""Days between the first and the last day of the rows: what the kernel's small numbers hold, with NO_END."""
PLAIN = ("all_of", "any_of", "at_least", "attribute")
SHOWN = ("delivery", "received", "status", "valid", "from", "due", "by", "until")


def try_standard(file: Path, subjects: Path, records: Path, on: date, default: str) -> list[dict[str, Any]]:
    """What the first standard of `file` owes each subject on a day: subject and SHOWN, in the order of the subjects.

    subjects: `subject, anchor`, optionally `end`, and attributes that `who` asks for; several rows of one subject are
    episodes. records: `subject, date`, optionally `code`: the service it proves, by its own name or by a code of the
    programme `default`. Raises WinayError with every problem of the three files.
    """
    tried = _programme(file)
    listed, delivered = (
        Rows(subjects, ("subject", "anchor"), ("anchor", "end")),
        Rows(records, ("subject", "date"), ("date",)),
    )
    known = {row["subject"] for row in listed.rows}
    delivered.expect("subject", known, "a subject of {file}", file=subjects.name)
    if problems := [*listed.problems, *delivered.problems]:
        raise WinayError(problems)
    name = next(iter(tried.standards))
    units = _chosen(listed.rows, tried.standards[name].episode, on)
    if not units:
        return []
    table = _evaluated(tried, units, _proved(tried, delivered.rows, default), on, subjects)
    ours = [row for row in table.to_pylist() if row["standard"] == name]
    far = on + NO_END
    shown = [{key: None if row[key] == far else row[key] for key in SHOWN} for row in ours]
    return [{"subject": units[row["subject"]]["subject"]} | one for row, one in zip(ours, shown, strict=True)]


def _programme(file: Path) -> Programme:
    """A small programme around the standards of a file; legal basis, product and rule version may be left out."""
    value = read(file)
    said = value if isinstance(value, dict) and "standards" in value else {}
    listed = said.get("standards", value)
    shared = {key: text for key, text in said.items() if key in ("month_end", "grace")}
    strange = [key for key in said if key not in (AT, "standards", "month_end", "grace")]
    if strange or not listed:
        hint = "write one standard, or a list of them; `standards:`, `month_end:` and `grace:` may stand around it"
        raise WinayError(Problem(At(str(file)), "no standard can be read here", hint=hint))
    made: dict[str, Standard] = {}
    for item in listed if isinstance(listed, list) else [listed]:
        standard = validate(Standard, {**shared, **item} if isinstance(item, dict) else item, file)
        given = isinstance(standard.anchor, Anchor) and not standard.anchor.delivery
        bare = {"legal": Legal.model_validate({"confidence": "proposed"}), "rules": None, "product": None}
        made[standard.standard] = standard.model_copy(update=bare | ({"anchor": "birth"} if given else {}))
    conditions = [c for s in made.values() for c in (s.who, *(variant.who for variant in s.variants)) if c]
    kinds = {standard.subject: {"name": standard.subject} for standard in made.values()}
    said = {
        "programme": "try",
        "name": "try",
        "levels": ["country"],
        "subjects": kinds,
        "attributes": _attributes(conditions),
    }
    head = Head.model_validate(said)
    tried = Programme(file, "", head, standards=made)
    services = {service for schedule in tried.schedules.values() for service in schedule.services}
    tried = replace(
        tried, services={service: Matcher.model_validate({"code": [service]}) for service in sorted(services)}
    )
    if problems := check(tried):
        raise WinayError(problems)
    return tried


def _attributes(conditions: list[Criterion]) -> dict[str, Attribute]:
    """The attributes that conditions ask for, of the type their tests need."""
    found: dict[str, Attribute] = {}
    for c in conditions:
        if c.kind not in PLAIN:
            facts = {"kind": c.kind}
            raise WinayError(Problem(c.at, "`{kind}` cannot be tried here: only attributes", facts=facts))
        if c.attribute:
            kind = "set" if c.only or c.any_ else "decimal" if c.from_ or c.to or c.below else "text"
            found[c.attribute] = Attribute.model_validate({"type": kind})
        found |= _attributes(c.children)
    return found


def _chosen(rows: list[dict[str, Any]], episode: str, on: date) -> list[dict[str, Any]]:
    """The episodes that count as of `on`, in the order of the file."""
    if episode == "each":
        return rows
    begun: dict[str, list[date]] = {}
    for row in rows:
        if row["anchor"] <= on:
            begun.setdefault(row["subject"], []).append(row["anchor"])
    best = {subject: min(days) if episode == "first" else max(days) for subject, days in begun.items()}
    return [row for row in rows if row["anchor"] == best.get(row["subject"])]


def _proved(tried: Programme, rows: list[dict[str, Any]], default: str) -> dict[str, list[tuple[int, date]]]:
    """(service number, day) of each subject's records."""
    numbers = tried.service_numbers
    proved: dict[str, list[tuple[int, date]]] = {row["subject"]: [] for row in rows}
    codes = {row["code"] for row in rows if "code" in row} - set(numbers)
    accepts = _accepted(tried, codes, shipped(default)) if codes else {}
    for row in rows:
        code = row.get("code")
        services = list(numbers) if code is None else [code] if code in numbers else accepts.get(code, [])
        proved[row["subject"]] += [(numbers[service], row["date"]) for service in services]
    return proved


def _accepted(tried: Programme, codes: set[str], programme: Programme) -> dict[str, list[str]]:
    """Code -> the services of the standards that a lone item with it proves, of any type that counts."""
    from winay.records.matching import COLUMNS, services

    listed = sorted(codes)
    types = programme.head.counted_types or [""]
    kinds = {"contact": pa.int64(), "person": pa.int64(), "day": pa.date32(), "known": pa.int32(), "gone": pa.int32()}
    kinds |= {"haemoglobin": pa.float64(), "weight": pa.float64(), "height": pa.float64()}
    lone = {"day": date(2000, 1, 1), "known": 0, "gone": 1}
    items = [
        {"contact": n, "person": n, "code": code, "type": kind} | lone
        for n, code in enumerate(listed)
        for kind in types
    ]
    columns = {
        name: pa.array([item.get(name) for item in items], kinds.get(name, pa.string()))
        for name in (*COLUMNS, "known", "gone")
    }
    found = services(programme, pa.table(columns))
    names = sorted(programme.services)
    result: dict[str, list[str]] = {}
    for n, service in zip(found["person"].to_pylist(), found["service"].to_pylist(), strict=True):
        if names[service] in tried.services:
            result.setdefault(listed[n], []).append(names[service])
    return result


def _evaluated(
    tried: Programme, units: list[dict[str, Any]], proved: dict[str, list[tuple[int, date]]], on: date, file: Path
) -> pa.Table:
    """The kernel's answer. A unit's birth is the end of its episode, its anchor the day given."""
    seen = [sorted({(s, day) for s, day in proved.get(unit["subject"], []) if day <= on}) for unit in units]
    ends = [unit.get("end") or on + NO_END for unit in units]
    spread = [on, *(unit["anchor"] for unit in units), *ends, *(day for records in seen for _, day in records)]
    if (max(spread) - min(spread)).days > SPREAD + NO_END.days:
        hint = "try subjects of one generation at a time"
        raise WinayError(
            Problem(At(str(file)), "the days of the rows lie too far apart", "at most {n} days", hint, {"n": SPREAD})
        )
    plan = compiled(list(tried.schedules.values()), tried.service_numbers, days_of(min(spread)), days_of(max(spread)))
    anchors = np.repeat(_days([unit["anchor"] for unit in units])[:, None], len(plan.tracks), axis=1)
    for track in plan.tracks:
        if isinstance(track.schedule.anchor, Anchor):
            anchors[:, track.number] = NO_DAY
    offsets = np.cumsum([0, *map(len, seen)]).astype(np.int64)
    services = np.array([s for records in seen for s, _ in records], np.int16)
    fits, applies = _inside(tried, plan, units)
    days = _days([day for records in seen for _, day in records])
    every = np.full(len(units), days_of(on), np.int32)
    return hands.statuses(plan, _days(ends), anchors, offsets, services, days, every, fits, applies)


def _inside(tried: Programme, plan: Plan, units: list[dict[str, Any]]) -> tuple[Any, Any]:
    """[unit, track]: whom a route fits, and to whom its standard applies."""
    import ibis

    columns = {"unit": list(range(len(units)))}
    columns |= {
        name.replace(".", "__"): _typed(kind, [unit.get(name) for unit in units])
        for name, kind in tried.attributes.items()
    }
    table = ibis.memtable(pa.table(columns))
    holds = Conditions(tried, table, 1).holds
    masks: dict[str, Any] = {}
    for track in plan.tracks:
        masks |= {f"fits{track.number}": holds(track.route.who), f"applies{track.number}": holds(track.schedule.who)}
    rows = ibis.duckdb.connect().to_pyarrow(table.select("unit", **masks).order_by("unit"))
    both = [[np.asarray(rows[f"{what}{t.number}"]) == 1 for t in plan.tracks] for what in ("fits", "applies")]
    return tuple(np.ascontiguousarray(np.stack(one, axis=1)) for one in both)  # type: ignore[return-value]


def _typed(kind: Attribute, values: list[str | None]) -> pa.Array:
    if kind.type != "decimal":
        return pa.array(values, pa.string())
    return pa.array([float(value) if value else None for value in values], pa.float64())


def _days(days: list[date]) -> Any:
    return np.array([days_of(day) for day in days], np.int32)
