"""What people decide of who is who, and what records makes of it."""

from datetime import UTC, datetime

import pytest

from winay.actions.gate import KEEPER, Caller, person
from winay.actions.links import decide, undo
from winay.actions.opening import made, opened
from winay.core.problems import WinayError
from winay.decisions.models import decided
from winay.records.link import Decision

ANA = Caller("ana", KEEPER)


def test_decide_once_undo_and_decide_again(tmp_path):
    """A pair has one decision at a time, whichever is named first; what was undone held until that day."""
    made(tmp_path / "ws", "pe-dit", tmp_path / "key")
    ws = opened(tmp_path / "ws")
    a, b = person(ws, "dni:00000001"), person(ws, "cnv:0000000002")
    decide(ws, ANA, "join", "dni:00000001", "cnv:0000000002", "same mother and day")
    with pytest.raises(WinayError, match="ana"):
        decide(ws, ANA, "split", "cnv:0000000002", "dni:00000001", "twins")
    today = datetime.now(UTC).date()
    assert decided(ws) == [Decision("join", a, b, today)]
    undo(ws, ANA, "cnv:0000000002", "dni:00000001")
    decide(ws, ANA, "split", "cnv:0000000002", "dni:00000001", "twins")
    assert decided(ws) == [Decision("join", a, b, today, today), Decision("split", b, a, today)]
