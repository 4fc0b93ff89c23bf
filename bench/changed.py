"""One changed child, and one in a hundred of one cohort, judged again, against the full run that gives the same figures."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.bar import bar, median
from bench.programme_whole import ON, around, make
from winay.engine.evaluate import evaluate
from winay.engine.figures import COUNTS, changed, figures, plain
from winay.engine.judging import Calendar
from winay.engine.tree import Tree
from winay.engine.verdicts import Surroundings
from winay.programme.locate import programme


def main(quick: bool) -> None:
    people = 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="winay-bench-") as name:
        folder = Path(name)
        make(folder, people)
        world = World(folder)
        full = median(world.full)
        print(f"base: the full run of {people:,} subjects  {full:.2f} s")
        first = people // 2
        print(f"equal to the full run: {world.equal(np.array([first]))}")
        bar("one changed child", 100 * median(world.again, np.array([first])) / full, 1, "%")
        cohort = np.arange(first, first + people // 100)
        bar("one in a hundred, one cohort", 100 * median(world.again, cohort) / full, 5, "%")


def kept(services: pa.Table) -> np.ndarray:
    """Of half of the services the records stay: what is judged again has something new in it."""
    return services["service"].to_numpy() % 2 == 0


class World:
    """A population evaluated once, whose subjects can be judged again one by one."""

    def __init__(self, folder: Path) -> None:
        self.programme = programme("pe-dit")
        self.around = around(self.programme, folder)
        self.subjects, self.services = (
            pq.ParquetFile(folder / f"{n}.parquet").read() for n in ("subjects", "services")
        )
        self.calendar, self.tree = Calendar.back_from(ON), Tree.of(self.around.places.to_pylist())
        self.owners = self.services["subject"].to_numpy()
        verdicts, self.figures = self.full()
        self.everybody = {indicator.key: rows.combine_chunks() for indicator, rows in verdicts}

    def verdicts(self, subjects: pa.Table, services: pa.Table, around: Surroundings) -> list:
        """Of the indicators that are about subjects of these kinds."""
        kinds = subjects["kind"].unique().to_pylist()
        mine = [indicator for indicator in self.programme.indicators.values() if indicator.subject in kinds]
        return list(evaluate(self.programme, subjects, services, around, ON, indicators=mine))

    def full(self) -> tuple[list, pa.Table]:
        verdicts = self.verdicts(self.subjects, self.services, self.around)
        return verdicts, figures(verdicts, self.calendar, self.tree)

    def again(self, numbers: np.ndarray) -> pa.Table:
        """numbers: consecutive. They have lost half of their records (see `kept`)."""
        low, high = int(numbers[0]), int(numbers[-1]) + 1
        wanted = np.array([low, high], np.int32)  # of their own type, or all are copied
        start, stop = np.searchsorted(self.owners, wanted)
        people, records = self.subjects.slice(low, high - low), self.services.slice(start, stop - start)
        records = records.filter(pa.array(kept(records)))
        near = Surroundings(
            self.around.residences.slice(low, high - low), self.around.enrolments, self.around.exits,
            self.around.providers, self.around.places,
        )  # fmt: skip
        come = self.verdicts(people, records, near)
        gone = []
        for indicator in (indicator for indicator, _ in come):
            rows = self.everybody[indicator.key]
            a, b = np.searchsorted(rows["subject"].to_numpy(), wanted)
            gone.append((indicator, rows.slice(a, b - a)))
        return changed(self.figures, gone, come, self.calendar, self.tree)

    def equal(self, numbers: np.ndarray) -> bool:
        """Whether judging some subjects again without some records gives what the full run gives without these."""
        alone = self.again(numbers)
        keep = pa.array(~np.isin(self.owners, numbers) | kept(self.services))
        whole = self.verdicts(self.subjects, self.services.filter(keep), self.around)
        full = plain(figures(whole, self.calendar, self.tree).select(alone.column_names))
        names = [name for name in alone.column_names if name not in COUNTS]
        alone = plain(alone)
        stays = plain(self.figures).select(alone.column_names).join(alone, names, join_type="left anti")
        moved = alone.filter(pc.greater(pc.add(alone["denominator"], alone["excluded"]), 0))
        order = [(name, "ascending") for name in names]
        return bool(pa.concat_tables([stays, moved]).sort_by(order).equals(full.sort_by(order)))


if __name__ == "__main__":
    start = time.perf_counter()
    main("--quick" in sys.argv)
    print(f"took {time.perf_counter() - start:.0f} s")
