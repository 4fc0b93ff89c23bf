"""What is appended is on the disk, once, and read when its load is done."""

import os
import stat
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from tests.rooms.workspace.delivery import SCHEMAS, read
from winay.core.problems import WinayError
from winay.workspace import Workspace, create
from winay.workspace.lake import Lake

DAY = date(2026, 6, 1)


def begin(ws: Workspace, sha256: str = "aa") -> int:
    return ws.ledger.begin("his", f"{sha256}.csv", sha256, 10, DAY).id


def items(*codes: str) -> pa.Table:
    return pa.table({"person": [7] * len(codes), "code": list(codes)})


def codes(ws: Workspace) -> list[str]:
    return [row["code"] for row in read(ws, "items")]


def test_rows_are_read_when_their_load_is_done_and_not_before(ws: Workspace) -> None:
    assert codes(ws) == []
    load = begin(ws)
    ws.lake.append("items", items("a", "b"), load)
    assert codes(ws) == []
    ws.ledger.finish(load, {})
    assert codes(ws) == ["a", "b"]
    assert read(ws, "items")[0] == {"person": 7, "day": None, "code": "a", "line": None, "known": None}


def test_appending_again_changes_nothing(ws: Workspace) -> None:
    load = begin(ws)
    for _ in range(2):
        ws.lake.append("items", items("a"), load)
        ws.lake.append("items", items("b"), load, part=1)
        ws.lake.append("items", items(), load, part=2)
    ws.ledger.finish(load, {})
    ws.lake.append("items", items("a"), load)
    assert codes(ws) == ["a", "b"]
    with pytest.raises(ValueError, match="not open"):
        ws.lake.append("items", items("c"), load, part=3)


def test_a_reader_is_streamed_into_one_file(ws: Workspace) -> None:
    load = begin(ws)
    batches = [batch for part in ("a", "b", "c") for batch in items(part).to_batches()]
    ws.lake.append("items", pa.RecordBatchReader.from_batches(items("a").schema, batches), load)
    ws.ledger.finish(load, {})
    assert codes(ws) == ["a", "b", "c"]
    assert len(ws.lake.files("items")) == 1


def test_the_view_of_chosen_loads_stays_while_others_arrive(ws: Workspace) -> None:
    for sha256 in ("aa", "bb"):
        load = begin(ws, sha256)
        ws.lake.append("items", items(sha256), load)
        ws.ledger.finish(load, {})
    con = ws.connect()
    assert ws.lake.read(con, "items", loads=[1]).code.execute().tolist() == ["aa"]
    assert ws.lake.read(con, "items", loads=[]).count().execute() == 0


def test_a_new_attribute_is_null_in_what_came_before(ws: Workspace) -> None:
    load = begin(ws)
    ws.lake.append("items", items("a"), load)
    ws.ledger.finish(load, {})
    wider = Lake(ws.lake.path, ws.ledger, {"items": SCHEMAS["items"].append(pa.field("lab", pa.string()))})
    load = begin(ws, "bb")
    wider.append("items", items("b").append_column("lab", [["2"]]), load)
    ws.ledger.finish(load, {})
    rows = wider.read(ws.connect(), "items").order_by("code").to_pyarrow()
    assert rows.select(["code", "lab"]).to_pylist() == [{"code": "a", "lab": None}, {"code": "b", "lab": "2"}]
    assert codes(ws) == ["a", "b"]


def test_columns_nobody_declared_are_refused(ws: Workspace) -> None:
    with pytest.raises(KeyError, match="surprise"):
        ws.lake.append("items", pa.table({"surprise": [1]}), begin(ws))
    with pytest.raises(WinayError, match='did you mean "items"'):
        ws.lake.schema("item")
    assert ws.lake.orphans() == []


def test_the_log_is_condensed_and_still_known_file_by_file(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winay.workspace.lake.CHECKPOINT_EVERY", 3)
    for number in range(8):
        load = begin(ws, f"{number:02d}")
        ws.lake.append("items", items(str(number)), load)
        ws.ledger.finish(load, {})
    assert codes(ws) == list("01234567")
    assert list(ws.lake.path.glob("items/_delta_log/*.checkpoint.parquet"))
    assert {problem for problem in ws.lake.verify()} == {None}


@pytest.mark.parametrize("name", ["plain", "datos ñ [1]", "a*b?", "a#b", "it's"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    (tmp_path / "datos ñ 1").mkdir()  # what `datos ñ [1]` would find as a pattern
    ws = create(tmp_path / name, key=tmp_path / "k")
    ws.lake.declare(SCHEMAS)
    load = begin(ws)
    ws.lake.append("items", items("a"), load)
    ws.ledger.finish(load, {})
    assert codes(ws) == ["a"]


def test_done_means_synced(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every new file of the table, the log's folder, the table's and the lake's, each before the ledger's line."""
    synced: list[Path] = []
    fsync = os.fsync

    def counted(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", counted)
    load = begin(ws)
    ws.lake.append("items", items("a"), load)
    table = ws.lake.path / "items"
    written = {path for path in table.rglob("*") if stat.S_ISREG(path.stat().st_mode)}
    assert len(written) == 3  # data, the table's making, the append
    assert set(synced) >= written | {table / "_delta_log", table, ws.lake.path}
    data, log = table / "000001-0000.parquet", table / "_delta_log" / "00000000000000000001.json"
    assert synced.index(data) < synced.index(table) < synced.index(log)


def test_a_file_missing_cut_short_or_changed_is_never_a_smaller_answer(ws: Workspace) -> None:
    load = begin(ws)
    ws.lake.append("items", items("a"), load)
    ws.ledger.finish(load, {})
    (file,) = ws.lake.files("items")
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(
        WinayError, match=r"000001-0000\.parquet: a file of load 1 \(aa\.csv\), table items, has another size"
    ):
        ws.lake.read(ws.connect(), "items")
    file.write_bytes(bytes([*content[:-20], content[-20] ^ 1, *content[-19:]]))
    with pytest.raises(WinayError, match="has other bytes"):
        ws.lake.read(ws.connect(), "items")
    file.write_bytes(content)
    assert codes(ws) == ["a"]
    file.unlink()
    with pytest.raises(WinayError, match="table items, is missing"):
        ws.lake.read(ws.connect(), "items")


@pytest.mark.parametrize("torn", [b"", b'{"add": {"pa', b"\0" * 40])
def test_a_log_torn_by_a_loss_of_power_is_replaced_by_the_next_run(ws: Workspace, torn: bytes) -> None:
    """The data file is on the disk before the log names it, so the log of a load nobody acknowledged may go."""
    for sha256 in ("aa", "bb"):
        load = begin(ws, sha256)
        ws.lake.append("items", items(sha256), load)
        if sha256 == "bb":
            (ws.lake.path / "items/_delta_log/00000000000000000002.json").write_bytes(torn)
            _forget(ws, load)
        else:
            ws.ledger.finish(load, {})
    assert codes(ws) == ["aa"]
    ws.lake.append("items", items("bb"), load)
    ws.ledger.finish(load, {})
    assert codes(ws) == ["aa", "bb"]
    assert {problem for problem in ws.lake.verify()} == {None}


def _forget(ws: Workspace, load: int) -> None:
    """As if the power had gone before the ledger heard of the append."""
    import sqlite3

    with sqlite3.connect(ws.ledger.path) as db:
        db.execute("delete from files where load = ?", (load,))
    db.close()
