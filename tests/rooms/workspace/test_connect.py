"""The backend: DuckDB, in UTC, asking the network for nothing."""

import importlib
import sys

import ibis
import pytest

from winay.core.problems import WinayError
from winay.workspace import Workspace

SETTINGS = {
    "TimeZone": "UTC",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",
}


def test_the_connection_is_set_as_promised(ws: Workspace) -> None:
    con = ws.connect(threads=1)
    for name, value in SETTINGS.items():
        (found,) = con.raw_sql(f"select current_setting('{name}')::text").fetchone()
        assert found == value, name
    assert ibis.options.sql.fuse_selects is False
    table = ibis.memtable({"day": ["2026-05-31"]})
    assert con.execute(table.day.cast("date") + ibis.interval(months=1)).astype(str).tolist() == ["2026-06-30"]


def test_spark_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "winay.workspace.spark", raising=False)
    with pytest.raises(WinayError) as told:
        importlib.import_module("winay.workspace.spark")
    assert told.value.problems[0].hint == "pip install 'winay[spark]'"
