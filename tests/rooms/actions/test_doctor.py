"""`winay doctor` finds what is wrong, names it, and says what to do."""

from datetime import UTC, datetime

import pytest

from winay.actions.doctor import doctor
from winay.actions.opening import made, opened


@pytest.fixture
def ws(tmp_path, monkeypatch):
    monkeypatch.setenv("WINAY_LANG", "en")
    made(tmp_path / "ws", "pe-dit", tmp_path / "key")
    return opened(tmp_path / "ws")


def test_all_is_well(ws):
    checks = list(doctor(ws))
    assert [check for check in checks if check["state"] != "good"] == []
    assert len(checks) >= 15


def toml(ws, old, new):
    file = ws.path / "winay.toml"
    file.write_text(file.read_text().replace(old, new))


WRONG = {
    "key is private": ("care", lambda ws: ws.key_file.chmod(0o644)),
    "key": ("bad", lambda ws: ws.key_file.unlink()),
    "key is outside": (
        "bad",
        lambda ws: (ws.key_file.rename(ws.path / "k"), toml(ws, str(ws.key_file), str(ws.path / "k"))),
    ),
    "time zone": ("bad", lambda ws: toml(ws, 'time_zone = "', 'time_zone = "x')),
    "ledger": ("bad", lambda ws: ws.ledger.path.write_bytes(b"")),
    "unfinished loads": ("care", lambda ws: ws.ledger.begin("his", "v.csv", "aa", 1, datetime.now(UTC).date())),
    "left by killed runs": ("care", lambda ws: (ws.snapshots.path / ".draft-1").mkdir()),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(ws, name):
    """Its check says so and what to do; the other checks are still made."""
    state, change = WRONG[name]
    change(ws)
    checks = {check["check"]: check for check in doctor(opened(ws.path))}
    assert (checks[name]["state"], checks["Python"]["state"]) == (state, "good")
    assert checks[name]["remedy"]


def test_what_killed_runs_left_is_removed(ws):
    WRONG["left by killed runs"][1](ws)
    assert {check["check"]: check["state"] for check in doctor(ws, fix=True)}["left by killed runs"] == "good"
