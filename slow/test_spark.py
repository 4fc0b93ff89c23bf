"""Apache Spark says what DuckDB says, in every cell: `make test-spark` (needs Java 17)."""

import os
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings

from slow.conftest import MASTER
from tests.cases import cases, differences, found
from tests.generated.engine import Compiled
from tests.generated.strategies import World, worlds
from tests.generated.test_kernel_equals_reference import relaxed
from winay.actions import gate
from winay.actions.demo import make
from winay.actions.evaluate import evaluate
from winay.actions.opening import opened
from winay.core.ages import Age
from winay.engine.fold import Fold, Judge, masks
from winay.engine.judging import Calendar, JudgingDay
from winay.engine.spread import masks_of
from winay.engine.units import Units
from winay.programme.locate import find, programme
from winay.workspace import Workspace

PLACE = "030401"
TODAY = date(2026, 11, 24)
CASES = dict(enumerate(cases(find("pe-dit") / "cases")))
GROUPS = sorted({(case.said["on"], case.said["subject"]["kind"]) for case in CASES.values()})


@pytest.mark.parametrize(("on", "kind"), GROUPS)
def test_worked_cases(con: Any, on: str, kind: str) -> None:
    mine = {n: c for n, c in CASES.items() if (c.said["on"], c.said["subject"]["kind"]) == (on, kind)}
    there = found(programme("pe-dit"), mine, con)
    assert there == found(programme("pe-dit"), mine)
    assert [told for number, case in mine.items() for told in differences(case, number, there)] == []


@pytest.fixture
def demo(tmp_path: Path) -> Workspace:
    """The demo that WINAY_DEMO names, as `.ci/run` has just made it; without one, the same for one district."""
    if made := os.environ.get("WINAY_DEMO"):
        return opened(Path(made))
    return make(tmp_path / "demo", "pe-dit", TODAY, 7, [PLACE], lambda what, total: nullcontext(lambda done: None))[0]


def test_the_demo_is_the_same_snapshot(con: Any, demo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """All indicators, 24 months, all levels."""
    here = demo.snapshots.open_snapshot("latest")
    days = [date.fromisoformat(here.manifest[day]) for day in ("on", "known")]
    monkeypatch.setenv("WINAY_SPARK", MASTER)
    there = evaluate(demo, gate.operator(demo), *days)
    for name in here.manifest["files"]:
        assert pq.read_table(there.path / name).equals(pq.read_table(here.path / name)), name
    assert there.id == here.id
    assert len(pq.read_table(there.path / "figures.parquet")) > 1000


@settings(relaxed, max_examples=20, phases=[Phase.generate])
@given(worlds())
def test_masks_of_standards_nobody_wrote(con: Any, world: World) -> None:
    compiled = Compiled(world)
    weeks = pa.array([life.weeks for life in world.lives], pa.int32())
    table = pa.table({"subject": np.arange(len(world.lives), dtype=np.int32), "weeks": weeks})
    records = compiled.offsets, compiled.services, compiled.days
    units = Units("child", table, compiled.births, *records, compiled.fits)
    calendar = Calendar.back_from(world.on)
    days = [JudgingDay("months"), JudgingDay("age", Age(6, 0)), JudgingDay("end")]
    folds = [Fold(how, name) for name in compiled.plan.standards for how in range(3)]
    judges = [Judge(compiled.plan, calendar, day, "clip", folds) for day in days]
    for there, here in zip(
        masks_of(con)(units, compiled.plan, judges), masks(units, compiled.plan, judges), strict=True
    ):
        assert {fold: list(mask) for fold, mask in there.items()} == {fold: list(mask) for fold, mask in here.items()}


@pytest.mark.parametrize("sizes", [[], [0], [3, 0, 2], [0, 250, 0, 1]])
def test_tables_arrive_whole(con: Any, sizes: list[int]) -> None:
    """Chunks without rows, no rows at all, more rows than a batch; whole numbers stay whole beside missing ones."""
    kinds = pa.schema([("n", pa.int64()), ("day", pa.date32()), ("sure", pa.bool_()), ("text", pa.string())])
    row = {"n": 2**62 + 1, "day": TODAY, "sure": True, "text": "ñ, '"}
    chunks = [pa.Table.from_pylist([row, dict.fromkeys(row)] * size, kinds) for size in sizes]
    sent = pa.concat_tables([kinds.empty_table(), *chunks])
    got = con.create_table("sent", sent, overwrite=True).to_pyarrow()
    assert got.sort_by("n").equals(sent.combine_chunks().sort_by("n"))
