"""One folder, found from where you stand; its key is never inside."""

from pathlib import Path

import pytest

from winay.core.problems import WinayError
from winay.workspace import Workspace, create, open_workspace


def test_a_workspace_is_found_from_any_folder_inside_it(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = ws.path / "derived" / "deep"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert open_workspace() == ws
    assert (ws.programme, ws.time_zone) == ("pe-dit", "America/Lima")
    assert not ws.key_file.is_relative_to(ws.path)
    assert ws.key_file.stat().st_mode & 0o777 == 0o600


def test_the_key_is_in_the_users_configuration_unless_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = create(tmp_path / "a")
    assert made.key_file == tmp_path / "config" / "winay" / "keys" / f"{made.id}.key"
    monkeypatch.setenv("WINAY_KEY_FILE", str(tmp_path / "moved.key"))
    assert open_workspace(tmp_path / "a").key_file == tmp_path / "moved.key"


REFUSED = [
    # where                  with a key at   said
    ("ws", "keys/k", "there is a workspace in"),
    ("full", "keys/k", "is not an empty folder"),
    ("full/a file", "keys/k", "is not an empty folder"),
    ("100%25", "keys/k", 'has a "%"'),
    ("new", "new/k", "the key would be inside"),
]


@pytest.mark.parametrize(("where", "key", "said"), REFUSED)
def test_a_place_that_cannot_be_used_is_refused_and_left_as_it_was(
    ws: Workspace, tmp_path: Path, where: str, key: str, said: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a file").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(WinayError, match=said) as told:
        create(tmp_path / where, key=tmp_path / key)
    assert told.value.status == 2
    assert sorted(tmp_path.rglob("*")) == before


NOT_OPENED = [
    # winay.toml          said
    (None, "there is no workspace in"),
    ("id = ", "this file cannot be understood"),
    ("id = 1", "this file cannot be understood"),
    ("\udcff", "this file cannot be understood"),
    ('format = 9\nid = "a"\nprogramme = "p"\ntime_zone = "UTC"\nkey = {file = "k", mark = "m"}', "format 9"),
]


@pytest.mark.parametrize(("text", "said"), NOT_OPENED)
def test_what_is_no_workspace_is_told_so(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "winay.toml").write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(WinayError, match=said):
        open_workspace(tmp_path)
