"""A workspace of two small tables, told in English."""

from pathlib import Path

import pytest

from tests.rooms.workspace.delivery import SCHEMAS
from winay.workspace import Workspace, create
from winay.workspace.vault import new_key


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINAY_LANG", "en")
    monkeypatch.delenv("WINAY_KEY_FILE", raising=False)


@pytest.fixture(scope="session")
def key_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One key for all, so that answers of two workspaces can be compared."""
    file = tmp_path_factory.mktemp("key") / "key"
    new_key(file)
    return file.read_bytes()


@pytest.fixture
def ws(tmp_path: Path, key_bytes: bytes) -> Workspace:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "ws.key").touch(mode=0o600)
    (tmp_path / "keys" / "ws.key").write_bytes(key_bytes)
    made = create(tmp_path / "ws", key=tmp_path / "keys" / "ws.key", time_zone="America/Lima")
    made.lake.declare(SCHEMAS)
    return made
