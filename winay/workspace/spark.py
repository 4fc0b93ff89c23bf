"""Ibis on Apache Spark with tables that come and go as Arrow, every cell as it was.

By way of pandas, as Ibis has it, one missing whole number makes a column decimal. Importing this file without the extra
`spark` is a problem with its remedy.
"""

import logging
import os
import sys
import warnings
from typing import Any

import ibis
import pyarrow as pa

from winay.core.problems import wrong_use
from winay.workspace.connect import machine_memory

warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
try:
    from ibis.backends.pyspark import Backend
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession
    from pyspark.sql.pandas.types import from_arrow_schema
except ImportError as error:
    raise wrong_use("this needs Spark, which is not installed", hint="pip install 'winay[spark]'") from error


class Spark(Backend):  # type: ignore[misc]
    """What the engine asks of a connection, as it asks DuckDB's."""

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
        return self._frame(rows).mapInArrow(work, from_arrow_schema(shape)).toArrow()

    def _frame(self, rows: pa.Table) -> Any:
        return self._session.createDataFrame(rows.combine_chunks())  # 4.3 drops what follows a chunk without rows


def connect(master: str) -> Any:
    """Spark in UTC, where a country is evaluated that one machine is too small for.

    master: `local[2]`, `spark://host:7077`… The process that hands out the work holds everybody's masks: it gets four
    tenths of the machine's memory. Raises WinayError when there is no Java or nobody answers.
    """
    ibis.options.sql.fuse_selects = False
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # a page of JSON for each query that fails
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # or workers start another Python
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    settings = {
        "spark.log.level": "ERROR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": f"{machine_memory() * 4 // 10 >> 20}m",
        "spark.driver.maxResultSize": "0",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    try:
        session = SparkSession.builder.master(master).appName("winay").config(map=settings).getOrCreate()
    except (Py4JError, PySparkException) as error:
        hint = "is Java 17 or newer installed, and is the master up?"
        raise wrong_use("Spark does not start at {master}", hint=hint, master=master) from error
    session.conf.set("spark.sql.shuffle.partitions", 2 * session.sparkContext.defaultParallelism)
    return Spark().connect(session)
