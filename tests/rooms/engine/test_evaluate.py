"""The whole programme over an invented population: again for a few, and by way of another backend, it says the same."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.changed import World
from bench.programme_whole import ON, make
from winay.engine.evaluate import evaluate
from winay.engine.figures import changed
from winay.workspace.connect import connect


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("people")
    make(folder, 3000)
    yield World(folder)


@pytest.mark.parametrize("numbers", [np.array([1500]), np.arange(500, 540), np.array([2999])])
def test_changed_subjects_judged_alone_give_what_the_full_run_gives(world: World, numbers: np.ndarray) -> None:
    assert world.equal(numbers)


def test_nothing_moves_when_nothing_changed(world: World) -> None:
    same = [(world.programme.indicators[key], rows) for key, rows in world.everybody.items()]
    assert len(changed(world.figures, same, same, world.calendar, world.tree)) == 0


def test_ibis_combines_the_same_masks(world: World) -> None:
    """Here on DuckDB; `make test-spark` does the same on Spark."""
    given = world.programme, world.subjects, world.services, world.around, ON
    for (_, here), (indicator, there) in zip(evaluate(*given), evaluate(*given, con=connect()), strict=True):
        assert there.equals(here.combine_chunks().cast(there.schema)), indicator.key
