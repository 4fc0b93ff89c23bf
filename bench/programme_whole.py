"""The whole programme, all rule versions, 24 months and all levels, against DuckDB's scan and sort of the same records."""

import datetime as dt
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.bar import bar, median, peak_gb
from winay.core.ages import days_of
from winay.engine.evaluate import evaluate
from winay.engine.figures import figures
from winay.engine.judging import Calendar
from winay.engine.tree import Tree
from winay.engine.verdicts import Surroundings
from winay.programme.load import Programme
from winay.programme.locate import programme
from winay.records.places import known as shipped
from winay.records.tables import schema

ON = dt.date(2026, 10, 31)
SCAN_AND_SORT = "select max(day) from (select * from read_parquet('{file}') order by subject, service, day)"


def make(folder: Path, people: int, seed: int = 7) -> None:
    """`people` subjects (seven children to three pregnancies, births of six years) and about 50 records a child."""
    pe, rng = programme("pe-dit"), np.random.default_rng(seed)
    children, pregnancies = people * 7 // 10, people - people * 7 // 10
    births = [np.sort(days_of(ON) - rng.integers(0, 2191, n)).astype(np.int32) for n in (children, pregnancies)]
    places = shipped(pe, "places", empty(pe, "places")).to_pylist()
    districts = np.array([place["place"] for place in places if place["level"] == pe.head.levels[-1]])
    subjects = pa.table(
        {
            "subject": np.arange(people, dtype=np.int32),
            "person": rng.permutation(people).astype(np.int64),
            "kind": ["child"] * children + ["pregnancy"] * pregnancies,
            "birth": pa.array(np.concatenate(births)).cast(pa.date32()),
            "document": rng.choice(["DNI", "CNV"], people, p=[0.95, 0.05]),
            "insurance": rng.choice(["SIS", "", "ESSALUD"], people, p=[0.8, 0.1, 0.1]),
            "birth_weight": rng.normal(3150, 400, people).astype(np.int32),
            "gestation_weeks": np.clip(rng.normal(38.8, 1.6, people), 24, 42).astype(np.int32),
            "sex": rng.choice(["F", "M"], people),
            "birth_place_kind": ["facility"] * people,
            "mother_document": ["DNI"] * people,
            "mother_home_country": ["PE"] * people,
        }
    )
    blank = [f for f in schema(pe, "people") if f.name in pe.attributes and f.name not in subjects.column_names]
    for field in blank:
        subjects = subjects.append_column(field.name, pa.nulls(people, field.type))
    pq.write_table(subjects, folder / "subjects.parquet")
    homes = {
        "subject": subjects["subject"],
        "place": rng.choice(districts, people),
        "since": pa.nulls(people, pa.date32()),
    }
    pq.write_table(pa.table(homes | {"until": pa.nulls(people, pa.date32())}), folder / "residences.parquet")
    with pq.ParquetWriter(folder / "services.parquet", RECORD, compression="snappy") as writer:
        for kind, low, high in (("child", 0, children), ("pregnancy", children, people)):
            for start in range(low, high, 100_000):
                stop = min(start + 100_000, high)
                part = births[kind == "pregnancy"][start - low : stop - low]
                writer.write_table(_records(pe, kind, start, part, rng), row_group_size=122_880)


RECORD = pa.schema([("subject", pa.int32()), ("service", pa.int16()), ("day", pa.date32())])


def _records(pe: Programme, kind: str, first: int, births: np.ndarray, rng: np.random.Generator) -> pa.Table:
    """Each delivery of each standard, given to seven of ten, a few days late; sorted and distinct."""
    subject, service, day = [], [], []
    for schedule in pe.schedules.values():
        if schedule.subject != kind or not schedule.rules or (schedule.anchor != "birth" and kind == "child"):
            continue
        for delivery in schedule.deliveries:
            given = np.flatnonzero(rng.random(len(births)) < 0.45)
            start = delivery.age.from_.days + delivery.age.from_.months * 30 - (280 if kind == "pregnancy" else 0)
            when = births[given] + start + rng.exponential(20, len(given)).astype(np.int32)
            seen = when <= days_of(ON)
            subject.append(given[seen] + first)
            service.append(np.full(seen.sum(), pe.service_numbers[delivery.service], np.int64))
            day.append(when[seen].astype(np.int64))
    packed = np.unique(np.concatenate(subject) << 32 | np.concatenate(service) << 20 | np.concatenate(day))
    columns = [
        (packed >> 32).astype(np.int32),
        (packed >> 20 & 0xFFF).astype(np.int16),
        (packed & 0xFFFFF).astype(np.int32),
    ]
    days = pa.array(columns[2]).cast(pa.date32())
    return pa.table([pa.array(columns[0]), pa.array(columns[1]), days], RECORD)


def empty(pe: Programme, table: str) -> pa.Table:
    return schema(pe, table).empty_table()


def around(pe: Programme, folder: Path) -> Surroundings:
    day = pa.date32()
    spell = pa.schema([("subject", pa.int32()), ("programme", pa.string()), ("since", day), ("until", day)])
    exits = pa.schema([("subject", pa.int32()), ("day", day), ("kind", pa.string())])
    residences = pq.ParquetFile(folder / "residences.parquet").read()
    tables = [shipped(pe, name, empty(pe, name)) for name in ("providers", "places")]
    return Surroundings(residences, spell.empty_table(), exits.empty_table(), *tables)


def whole(folder: Path) -> int:
    """Everything, from the files to the figures of every level; returns how many figures there are."""
    pe = programme("pe-dit")
    beside = around(pe, folder)
    tree, calendar = Tree.of(beside.places.to_pylist()), Calendar.back_from(ON)
    subjects, services = (pq.ParquetFile(folder / f"{n}.parquet").read() for n in ("subjects", "services"))
    return len(figures(list(evaluate(pe, subjects, services, beside, ON)), calendar, tree))


def base(folder: Path) -> None:
    con = duckdb.connect(config={"threads": 2})
    con.execute(SCAN_AND_SORT.format(file=folder / "services.parquet")).fetchall()


def main(quick: bool) -> None:
    people = 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="winay-bench-") as name:
        folder = Path(name)
        make(folder, people)
        seconds = median(base, folder)
        print(f"base: {SCAN_AND_SORT.format(file='…')}  {seconds:.2f} s")
        bar(f"the whole programme, {people:,} subjects", median(whole, folder) / seconds, 6)
        bar("the whole programme, memory", peak_gb(), 4, "GB")


if __name__ == "__main__":
    main("--quick" in sys.argv)
