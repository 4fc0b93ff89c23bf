"""The population of W1: some children are followed very well, the others come late, early, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.w1 import table
from winay.core.ages import after
from winay.programme.load import Programme
from winay.programme.schedule import Schedule

DISTRICTS = 1891
PART = 100_000
SIX_YEARS = 2191


def make(folder: Path, programme: Programme, children: int, on: int, seed: int = 7) -> None:
    """children.parquet (birth, district; in order of birth) and services.parquet, sorted as the engine reads it."""
    rng = np.random.default_rng(seed)
    births = np.sort(on - rng.integers(0, SIX_YEARS, children)).astype(np.int32)
    weights = rng.lognormal(0, 1.4, DISTRICTS)
    districts = rng.choice(DISTRICTS, children, p=weights / weights.sum()).astype(np.int16)
    here = rng.normal(0, 0.04, DISTRICTS)[districts]
    columns = {"birth": pa.array(births).cast(pa.date32()), "district": districts}
    pq.write_table(pa.table(columns), folder / "children.parquet")

    def parts() -> Iterator[pa.Table]:
        for low in range(0, children, PART):
            part = slice(low, min(low + PART, children))
            yield _records(programme, births[part], here[part], rng, on, low)

    table.write(folder / "services.parquet", parts())


def _records(
    programme: Programme,
    births: NDArray[np.int32],
    here: NDArray[np.float64],
    rng: np.random.Generator,
    on: int,
    first: int,
) -> pa.Table:
    followed = np.clip(rng.beta(1.4, 0.8, len(births)) + here, 0, 0.997)
    followed = np.where(rng.random(len(births)) < 0.30 + here, 0.999, followed)
    found = []
    for name, schedule in programme.schedules.items():
        for child, day in _visits(schedule, births, followed, rng):
            seen = day <= on
            service = np.full(int(seen.sum()), programme.service_numbers[name], np.int16)
            found.append((child[seen] + first, service, day[seen]))
    subject, service, day = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((day, service, subject))
    days = pa.array(day[order].astype(np.int32)).cast(pa.date32())
    return pa.table([pa.array(subject[order].astype(np.int32)), pa.array(service[order]), days], table.SCHEMA)


def _visits(
    schedule: Schedule, births: NDArray[np.int32], followed: NDArray[np.float64], rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(children, days) of each delivery: on time, late or a little early; sent twice, or come twice, now and then."""
    n, careless = len(births), 1 - followed
    leaves = rng.random(n) < 0.22 * careless
    for delivery in schedule.deliveries:
        start, by = after(delivery.age.from_, births), after(delivery.age.by, births)  # type: ignore[arg-type]
        comes = (rng.random(n) < followed) & ~(leaves & (delivery.number > 2))
        late = rng.exponential(1.0, n) * np.maximum(1, by - start) * (0.08 + 0.3 * careless)
        day = start + late.astype(np.int64)
        very_late, early = rng.random(n) < 0.05 * (0.12 + careless), rng.random(n) < 0.04 * (0.12 + careless)
        day[very_late] += rng.integers(15, 150, int(very_late.sum()))
        day[early] = start[early] - rng.integers(1, 12, int(early.sum()))
        again = day + rng.integers(1, 9, n)
        for who, when in ((comes, day), (comes & (rng.random(n) < 0.03), day), (comes & (rng.random(n) < 0.02), again)):
            yield np.flatnonzero(who), when[who]
    for share, low, high in ((0.05, 0, 1800), (0.004, -90, 0)):
        wild = np.flatnonzero(rng.random(n) < share)
        yield wild, births[wild] + rng.integers(low, high, len(wild))
