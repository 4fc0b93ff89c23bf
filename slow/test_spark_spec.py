"""How it counts, once more where Spark's processes run the engine: every table of `tests/spec`."""

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.reference.evaluator import Row
from tests.spec import conftest
from tests.spec.conftest import by_engine, spec

for file in sorted(Path(conftest.__file__).parent.glob("test_*.py")):
    found = vars(import_module(f"tests.spec.{file.stem}"))
    globals().update({name: test for name, test in found.items() if name.startswith("test_")})

__all__ = ["spec"]
KINDS = [
    ("delivery", pa.int32()), ("received", pa.date32()), ("status", pa.string()), ("valid", pa.date32()),
    ("from_", pa.date32()), ("due", pa.date32()), ("by", pa.date32()), ("until", pa.date32()),
]  # fmt: skip


@pytest.fixture(autouse=True)
def on_spark(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the spec calls the engine is the engine in a process of Spark's."""
    monkeypatch.setattr(conftest, "by_engine", partial(by_spark, con))


def by_spark(con: Any, *asked: Any) -> list[Row]:
    rows = con.spread(pa.table({"lives": [1]}), partial(_judge, asked), pa.schema(KINDS)).to_pylist()
    return [Row(**row) for row in rows]


def _judge(asked: tuple[Any, ...], batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        assert batch.num_rows == 1
        rows = [{name: getattr(row, name) for name, _ in KINDS} for row in by_engine(*asked)]
        yield pa.RecordBatch.from_pylist(rows, pa.schema(KINDS))
