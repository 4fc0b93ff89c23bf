"""Runs a programme's worked cases (`cases/*.yaml`): an invented person, the records, the verdict the norm must give."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from winay.engine.evaluate import evaluate
from winay.engine.stories import deliveries
from winay.engine.units import Units
from winay.engine.verdicts import Surroundings
from winay.programme.load import Programme
from winay.programme.yaml_text import AT, read
from winay.records import matching
from winay.records.tables import DAY_MAX, schema

ITEMS = {"lab": None, "haemoglobin": None, "weight": None, "height": None, "provider": None}


@dataclass(frozen=True)
class Case:
    """One case as written, and where."""

    name: str
    at: str
    said: dict[str, Any]

    @property
    def birth(self) -> date:
        return date.fromisoformat(self.said["subject"]["birth"])

    def day(self, text: str | None) -> date | None:
        """A date, or an age in days such as D60."""
        if text is None:
            return None
        return self.birth + timedelta(int(text[1:])) if text.startswith("D") else date.fromisoformat(text)


def cases(folder: Path) -> Iterator[Case]:
    for file in sorted(folder.glob("*.yaml")):
        for said in read(file):
            yield Case(said["case"], str(said[AT]), said)


def services(programme: Programme, case: Case, number: int) -> pa.Table:
    """What the case's records prove, through the programme's matchers."""
    rows = []
    for line, record in enumerate(case.said["records"] or []):
        record = {k: v for k, v in record.items() if k != AT}
        contact = record.pop("contact", f"own {line}")
        rows.append(ITEMS | record | {"day": case.day(record["day"]), "contact": contact})
    names = sorted({row["contact"] for row in rows})
    for row in rows:
        row |= {"contact": names.index(row["contact"]), "person": 1, "known": 0, "gone": DAY_MAX}
        for measure in ("haemoglobin", "weight", "height"):
            row[measure] = None if row[measure] is None else float(row[measure])
    types = {"contact": pa.int64(), "person": pa.int64(), "day": pa.date32(), "known": pa.int32(), "gone": pa.int32()}
    types |= {name: pa.float64() for name in ("haemoglobin", "weight", "height")}
    names = [*matching.COLUMNS, "known", "gone"]
    items = pa.Table.from_pylist(rows, pa.schema([(n, types.get(n, pa.string())) for n in names]))
    proved = matching.services(programme, items)
    days = proved["day"].cast(pa.int32()).cast(pa.date32())
    table = pa.table(
        {"subject": pa.array([number] * len(proved), pa.int32()), "service": proved["service"], "day": days}
    )
    return (
        table.group_by(["subject", "service", "day"])
        .aggregate([])
        .sort_by([("service", "ascending"), ("day", "ascending")])
    )


def tables(programme: Programme, case: Case, number: int) -> tuple[dict[str, Any], Surroundings]:
    """The case's person as a row of `subjects`, and its district, facilities and enrolments around it."""
    people, places, providers = (schema(programme, name) for name in ("people", "places", "providers"))
    written = case.said["subject"]["attributes"] or {}
    own: dict[str, Any] = {}
    home = f"place {number}"
    place: dict[str, Any] = {"place": home, "level": programme.head.levels[-1], "name": home}
    facilities: dict[str, dict[str, Any]] = {}
    for name, value in written.items():
        value = ",".join(value) if isinstance(value, list) else value
        of, _, attribute = name.rpartition(".")
        if name == AT:
            continue
        if not of:
            own[name] = _typed(value, people.field(name).type)
        elif of == "place":
            place[attribute] = _typed(value, places.field(attribute).type)
        else:
            own[of] = facility = f"{of} {number}"
            facilities.setdefault(of, {"provider": facility, "place": home})[attribute] = _typed(
                value, providers.field(attribute).type
            )
    person = {"subject": number, "person": number, "kind": case.said["subject"]["kind"], "birth": case.birth} | own
    spells = [
        {
            "subject": number,
            "programme": e["programme"],
            "since": case.day(e["from"]),
            "until": case.day(e.get("until")),
        }
        for e in case.said.get("enrolments") or []
    ]
    day, subject = pa.date32(), pa.array([number], pa.int32())
    spell = pa.schema([("subject", pa.int32()), ("programme", pa.string()), ("since", day), ("until", day)])
    around = Surroundings(
        pa.table({"subject": subject, "place": [home], "since": pa.nulls(1, day), "until": pa.nulls(1, day)}),
        pa.Table.from_pylist(spells, spell),
        pa.table({"subject": subject, "day": pa.nulls(1, day), "kind": pa.nulls(1, pa.string())}).slice(0, 0),
        pa.Table.from_pylist(list(facilities.values()), providers),
        pa.Table.from_pylist([place], places),
    )
    return person, around


def _typed(value: str | None, kind: pa.DataType) -> Any:
    if value is None or pa.types.is_string(kind):
        return value
    if pa.types.is_boolean(kind):
        return value in ("yes", "true")
    return float(value) if pa.types.is_floating(kind) else int(value)


@dataclass(frozen=True)
class Found:
    """What the engine says of the cases judged on one day about one kind of subject: all evaluated together."""

    deliveries: dict[tuple[int, str, int], dict[str, Any]]
    verdicts: dict[tuple[int, str], dict[str, Any]]


def population(programme: Programme, judged: dict[int, Case]) -> tuple[pa.Table, pa.Table, Surroundings]:
    """The subjects of cases of one kind, their services and what is around them, as the engine takes them."""
    made = {number: tables(programme, case, number) for number, case in judged.items()}
    kept = [f for f in schema(programme, "people") if f.name not in (*BOOKKEEPING, "rank", "source")]
    people = pa.Table.from_pylist([person for person, _ in made.values()], pa.schema([("subject", pa.int32()), *kept]))
    records = pa.concat_tables([services(programme, case, number) for number, case in judged.items()])
    names = ("residences", "enrolments", "exits", "providers", "places")
    around = Surroundings(*(pa.concat_tables([getattr(a, name) for _, a in made.values()]) for name in names))
    return people, records, around


def found(programme: Programme, judged: dict[int, Case], con: Any = None) -> Found:
    """judged: the cases by number; all of one kind and one judging day. con: None for this process."""
    first = next(iter(judged.values()))
    on, kind = date.fromisoformat(first.said["on"]), first.said["subject"]["kind"]
    people, records, around = population(programme, judged)
    rows = deliveries(programme, Units.few(kind, people, records, list(judged)), around, on).to_pylist()
    named = {(e.get("indicator"), e.get("rules")) for case in judged.values() for e in case.said["expect"]}
    wanted = [i for i in programme.indicators.values() if (i.indicator, i.rules) in named]
    verdicts = {}
    found = evaluate(programme, people, records, around, on, indicators=wanted, months=1, con=con)
    for indicator, table in found:
        verdicts |= {(row["subject"], indicator.key): row for row in table.to_pylist()}
    return Found({(r["subject"], r["standard"], r["delivery"]): r for r in rows}, verdicts)


def differences(case: Case, number: int, found: Found) -> list[str]:
    """What the engine says otherwise than the case; empty when they agree."""
    return [told for wanted in case.said["expect"] for told in _differences(case, number, found, wanted)]


def _differences(case: Case, number: int, found: Found, wanted: dict[str, Any]) -> Iterator[str]:
    if "standard" in wanted:
        name, delivery = wanted["standard"], int(wanted["delivery"])
        row = found.deliveries[number, name, delivery]
        asked = {k: case.day(wanted[k]) for k in ("received", "valid", "from", "due", "by", "until") if k in wanted}
        asked |= {"status": wanted["status"]} if "status" in wanted else {}
        yield from (f"{name}/{delivery} {k}: {row[k]}, wanted {value}" for k, value in asked.items() if row[k] != value)
        return
    key = f"{wanted['indicator']}@{wanted['rules']}"
    row = found.verdicts.get((number, key), {})
    verdict = next((v for v, column in VERDICTS.items() if row.get(column)), "outside")
    if verdict != wanted.get("verdict", verdict):
        yield f"{key}: {verdict}, wanted {wanted['verdict']}"
    for name, status in (wanted.get("components") or {}).items():
        if name != AT and ("met" if row[f"c__{name}"] else "missing") != status:
            yield f"{key} {name}: wanted {status}"


VERDICTS = {"met": "met", "excluded": "excluded", "missing": "denominator"}
BOOKKEEPING = ("row", "key", "version", "load", "line", "known")
