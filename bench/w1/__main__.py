"""W1 from the sorted file to the figures of 1,891 districts and 24 months, against the base's exact statements."""

import datetime as dt
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.bar import bar, median, peak_gb
from bench.w1.by_pandas import figures as by_pandas
from bench.w1.people import DISTRICTS, SIX_YEARS, make
from bench.w1.table import Block, each_block
from winay.core.ages import Age, after, days_of
from winay.engine.fold import UP_TO_DATE, fold
from winay.engine.judging import When
from winay.engine.kernel import receive
from winay.engine.plan import compile
from winay.programme.load import Programme, load

ON = days_of(dt.date(2026, 6, 30))
MONTHS = np.arange("2024-07", "2026-08", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int32)
"""The first days of 24 months, and of the one after."""
NONE = np.empty(0, np.int32)
SCAN = "select sum(subject), sum(service), max(day) from read_parquet('{file}')"
SORT = (
    "select max(d) from (select subject, service, day as d from read_parquet('{file}') order by subject, service, day)"
)


class Work:
    """W1 over one folder; figures are int64 [2, month, district]: who completed the package at 12 months, who got there."""

    def __init__(self, folder: Path, programme: Programme, children: int) -> None:
        self.folder, self.programme, self.children = folder, programme, children
        make(folder, programme, children, ON)
        self.plan = compile([*programme.schedules.values()], programme.service_numbers, ON - SIX_YEARS - 400, ON + 400)
        self.age: Age = programme.indicators["COMPLETE@W1"].age  # type: ignore[assignment]

    def winay(self) -> NDArray[np.int64]:
        table = pq.read_table(self.folder / "children.parquet")
        births, districts = table["birth"].cast(pa.int32()).to_numpy(), table["district"].to_numpy()

        def one(block: Block) -> NDArray[np.int64]:
            return self.block(block, births[block.low : block.high], districts[block.low : block.high])

        return np.sum(each_block(self.folder / "services.parquet", self.children, one), axis=0)

    def block(self, block: Block, births: NDArray[np.int32], districts: NDArray[np.int16]) -> NDArray[np.int64]:
        plan, judged = self.plan, after(self.age, births)
        anchors = np.repeat(births[:, None], len(plan.tracks), axis=1)
        got = receive(plan, births, anchors, block.offsets, block.services, block.days)
        met = np.ones(len(births), bool)
        for track in plan.tracks:
            columns = track.deliveries
            met &= fold(
                UP_TO_DATE, got.received[:, columns], got.released, births, got.anchors[:, track.number],
                plan.by[:, columns], plan.first_day, When(judged, NONE, 0, 1),
            ) == 1  # fmt: skip
        month = np.searchsorted(MONTHS, judged, side="right") - 1
        inside = (month >= 0) & (month < len(MONTHS) - 1)
        cells = (month * DISTRICTS + districts)[inside]
        size = (len(MONTHS) - 1) * DISTRICTS
        counts = np.bincount(cells, met[inside], size).astype(np.int64), np.bincount(cells, minlength=size)
        return np.stack(counts).reshape(2, len(MONTHS) - 1, DISTRICTS)

    def pandas(self) -> NDArray[np.int64]:
        return by_pandas(self.folder, self.programme, self.age, MONTHS)

    def base(self, statement: str) -> None:
        con = duckdb.connect(config={"threads": 2})
        con.execute(statement.format(file=self.folder / "services.parquet")).fetchall()


def main(quick: bool) -> None:
    programme = load(Path(__file__).parent / "programme")
    with (
        tempfile.TemporaryDirectory(prefix="winay-bench-") as one,
        tempfile.TemporaryDirectory(prefix="winay-bench-") as other,
    ):
        small = Work(Path(one), programme, 100_000)
        large = small if quick else Work(Path(other), programme, 3_000_000)
        small_seconds, large_seconds, memory = median(small.winay), median(large.winay), peak_gb()
        scan, sort = median(large.base, SCAN), median(large.base, SORT)
        print(f"base: DuckDB {duckdb.__version__}, 2 threads: {SCAN.format(file='…')}  {scan:.2f} s")
        print(f"base: {SORT.format(file='…')}  {sort:.2f} s")
        print(f"W1, {large.children:,} children: {large_seconds:.2f} s; {small.children:,}: {small_seconds:.3f} s")
        bar("W1 against scan + sort of the same file", large_seconds / sort, 0.65)
        bar("W1 against a bare scan", large_seconds / scan, 3.5)
        bar("W1, memory", memory, 2, "GB")
        if not quick:
            bar("W1, 3 million against 100 thousand", large_seconds / small_seconds, 36)
        print(f"pandas gives the same figures: {np.array_equal(small.pandas(), small.winay())}")
        bar("W1 against pandas, 100,000 children", small_seconds / median(small.pandas, times=1), 1 / 15)


if __name__ == "__main__":
    main("--quick" in sys.argv)
