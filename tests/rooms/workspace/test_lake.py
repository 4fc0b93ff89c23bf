"""What is appended is on the disk, once, and read when its load is done."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from tests.rooms.workspace.delivery import SCHEMAS, read
from winay.core.problems import WinayError
from winay.workspace import Workspace, create
from winay.workspace.lake import SETTINGS, Lake

DAY = date(2026, 6, 1)


@contextmanager
def load(ws: Workspace, sha256: str = "aa") -> Iterator[int]:
    """A load that is done at the end."""
    with ws.ledger.lock("test"):
        number = ws.ledger.begin("his", f"{sha256}.csv", sha256, 10, DAY).id
        yield number
        ws.ledger.finish(number, {})


def items(*codes: str) -> pa.Table:
    return pa.table({"person": [7] * len(codes), "code": list(codes)})


def codes(ws: Workspace) -> list[str]:
    return [row["code"] for row in read(ws, "items")]


def test_rows_are_read_when_their_load_is_done_and_not_before(ws: Workspace) -> None:
    assert codes(ws) == []
    with load(ws) as number:
        ws.lake.append("items", items("a", "b"), number)
        assert codes(ws) == []
    assert codes(ws) == ["a", "b"]
    assert read(ws, "items")[0] == {"person": 7, "day": None, "code": "a", "line": None, "known": None}


def test_appending_again_changes_nothing(ws: Workspace) -> None:
    with load(ws) as number:
        for _ in range(2):
            ws.lake.append("items", items("a"), number)
            ws.lake.append("people", items(), number)
    ws.lake.append("items", items("a"), number)
    assert codes(ws) == ["a"]
    assert ws.lake.files("people") == []
    with pytest.raises(ValueError, match="not open"):
        ws.lake.append("people", pa.table({"person": [7]}), number)


def test_a_reader_is_streamed_into_one_file(ws: Workspace) -> None:
    batches = [batch for part in ("a", "b", "c") for batch in items(part).to_batches()]
    with load(ws) as number:
        ws.lake.append("items", pa.RecordBatchReader.from_batches(items("a").schema, batches), number)
    assert codes(ws) == ["a", "b", "c"]
    assert len(ws.lake.files("items")) == 1


def test_the_view_of_chosen_loads_stays_while_others_arrive(ws: Workspace) -> None:
    for sha256 in ("aa", "bb"):
        with load(ws, sha256) as number:
            ws.lake.append("items", items(sha256), number)
    con = ws.connect()
    assert ws.lake.read(con, "items", loads=[1]).code.execute().tolist() == ["aa"]
    assert ws.lake.read(con, "items", loads=[]).count().execute() == 0


def test_a_new_attribute_is_null_in_what_came_before(ws: Workspace) -> None:
    with load(ws) as number:
        ws.lake.append("items", items("a"), number)
    wider = Lake(ws.lake.path, ws.ledger, {"items": SCHEMAS["items"].append(pa.field("lab", pa.string()))})
    with load(ws, "bb") as number:
        wider.append("items", items("b").append_column("lab", [["2"]]), number)
    rows = wider.read(ws.connect(), "items").order_by("code").to_pyarrow()
    assert rows.select(["code", "lab"]).to_pylist() == [{"code": "a", "lab": None}, {"code": "b", "lab": "2"}]
    assert codes(ws) == ["a", "b"]


def test_columns_nobody_declared_are_refused(ws: Workspace) -> None:
    with load(ws) as number, pytest.raises(ValueError, match="surprise"):
        ws.lake.append("items", pa.table({"surprise": [1]}), number)
    with pytest.raises(WinayError, match='did you mean "items"'):
        ws.lake.schema("item")
    assert ws.lake.orphans() == []


def test_the_log_is_condensed_and_still_known_file_by_file(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "delta.checkpointInterval", "3")
    for code in "01234567":
        with load(ws, code) as number:
            ws.lake.append("items", items(code), number)
    assert codes(ws) == list("01234567")
    assert list(ws.lake.path.glob("items/_delta_log/*.checkpoint.parquet"))
    assert {problem for problem in ws.lake.verify()} == {None}


@pytest.mark.parametrize("name", ["plain", "datos ñ [1]", "a*b?", "a#b", "it's"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    (tmp_path / "datos ñ 1").mkdir()  # what `datos ñ [1]` would find as a pattern
    ws = create(tmp_path / name, key=tmp_path / "k")
    ws.lake.declare(SCHEMAS)
    with load(ws) as number:
        ws.lake.append("items", items("a"), number)
    assert codes(ws) == ["a"]


def test_done_means_synced(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every new file of the table, the log's folder, the table's and the lake's, each before the ledger's line."""
    synced: list[Path] = []
    fsync = os.fsync

    def counted(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        synced.append(path.with_name(re.sub(r"^\.(.*)\.\d+\.draft$", r"\1", path.name)))  # renamed once synced
        fsync(handle)

    monkeypatch.setattr(os, "fsync", counted)
    with load(ws) as number:
        ws.lake.append("items", items("a"), number)
        monkeypatch.undo()
        assert ws.ledger.files() == []
    table = ws.lake.path / "items"
    written = {path for path in table.rglob("*") if stat.S_ISREG(path.stat().st_mode)}
    assert len(written) == 2  # data and log
    assert set(synced) >= written | {table / "_delta_log", table, ws.lake.path}
    data, log = table / "000001.parquet", table / "_delta_log" / "00000000000000000000.json"
    assert synced.index(data) < synced.index(table) < synced.index(log)


def test_a_file_missing_cut_short_or_changed_is_never_a_smaller_answer(ws: Workspace) -> None:
    with load(ws) as number:
        ws.lake.append("items", items("a"), number)
    (file,) = ws.lake.files("items")
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    said = r"000001\.parquet: a file of load 1 \(aa\.csv\), table items, has other bytes"
    with pytest.raises(WinayError, match=said):
        ws.lake.read(ws.connect(), "items")
    file.write_bytes(bytes([*content[:-20], content[-20] ^ 1, *content[-19:]]))
    with pytest.raises(WinayError, match="has other bytes"):
        ws.lake.read(ws.connect(), "items")
    file.write_bytes(content)
    assert codes(ws) == ["a"]
    file.unlink()
    with pytest.raises(WinayError, match="table items, is missing"):
        ws.lake.read(ws.connect(), "items")


@pytest.mark.parametrize("torn", [None, b"", b'{"add": {"pa', b"\0" * 40])
def test_what_a_run_that_died_put_in_the_log_is_replaced_by_the_next(ws: Workspace, torn: bytes | None) -> None:
    """Whole, or torn by a loss of power: nobody was told of it, so it may go."""
    with load(ws) as number:
        ws.lake.append("items", items("aa"), number)
    with ws.ledger.lock("test"):
        number = ws.ledger.begin("his", "bb.csv", "bb", 10, DAY).id
        ws.lake.append("items", items("bb"), number)
    log = ws.lake.path / "items/_delta_log/00000000000000000001.json"
    if torn is not None:
        log.write_bytes(torn)
    assert [path.name for path in ws.lake.orphans()] == ["000002.parquet", log.name]
    assert codes(ws) == ["aa"]
    with load(ws, "bb") as number:
        ws.lake.append("items", items("bb"), number)
    assert codes(ws) == ["aa", "bb"]
    assert {problem for problem in ws.lake.verify()} == {None}
    names = {uri.rpartition("/")[2] for uri in DeltaTable((ws.lake.path / "items").as_uri()).file_uris()}
    assert names == {"000001.parquet", "000003.parquet"}
    assert ws.lake.orphans() == []


def test_a_load_is_written_under_the_lock(ws: Workspace) -> None:
    """Between two appends nobody else may write: the log of a load that is not done is anybody's to remove."""
    number = ws.ledger.begin("his", "aa.csv", "aa", 10, DAY).id
    with pytest.raises(ValueError, match="not open"):
        ws.lake.append("items", items("a"), number)
