"""Ibis on Spark with tables that come and go as Arrow: by way of pandas, a missing whole number makes all of them decimal."""

from typing import Any

import pyarrow as pa
from ibis.backends.pyspark import Backend
from pyspark.sql import SparkSession

__all__ = ["Spark", "SparkSession"]


class Spark(Backend):  # type: ignore[misc]
    """What the engine asks of a connection, like DuckDB's: tables from Arrow, results as Arrow, cells unchanged."""

    def create_table(self, name: str, /, obj: pa.Table, *, overwrite: bool) -> Any:
        """A table for this session only; nothing is written."""
        assert overwrite
        self._frame(obj).createOrReplaceTempView(name)
        return self.table(name)

    def to_pyarrow(self, expr: Any, /, **_: Any) -> Any:
        table = expr.as_table()
        rows = self.raw_sql(self.compile(table)).toArrow()
        return expr.__pyarrow_result__(rows.cast(table.schema().to_pyarrow()))

    def spread(self, rows: pa.Table, work: Any, shape: pa.Schema) -> pa.Table:
        """`work`, a function from an iterator of record batches to another, over parts of the rows; in any order."""
        from pyspark.sql.pandas.types import from_arrow_schema

        return self._frame(rows).mapInArrow(work, from_arrow_schema(shape)).toArrow()

    def _frame(self, rows: pa.Table) -> Any:
        return self._session.createDataFrame(rows.combine_chunks())  # 4.3 drops what follows a chunk without rows
