"""Spark in this process, once for all tests."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

MASTER = "local[2]"
QUICK_TO_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Spark compiles much and runs it once here: Java's quick compiler halves the time."""


@pytest.fixture(scope="session")
def con() -> Iterator[Any]:
    """Batches so small that every table is in several parts."""
    from winay.workspace.spark import connect

    os.environ["JDK_JAVA_OPTIONS"] = QUICK_TO_START
    con = connect(MASTER)
    con._session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100")
    yield con
    con.disconnect()
