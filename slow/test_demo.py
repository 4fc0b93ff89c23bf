"""The whole demo looks like the regions it is drawn after: `make test-demo` after `make demo`."""

from datetime import date
from pathlib import Path

from winay.actions import gate
from winay.actions.demo import closeness
from winay.actions.opening import opened

DEMO = Path(__file__).parents[1] / "demo" / "workspace"


def test_its_districts_come_close_to_the_published_ones():
    """Growth and anaemia: districts rank as published, and the middle one is no more than six points away."""
    assert DEMO.exists(), "run first: make demo"
    ws = opened(DEMO)
    on = date.fromisoformat(ws.snapshots.open_snapshot("latest").manifest["on"])
    rows = closeness(ws, gate.operator(ws), f"{on:%Y-%m}", on)
    assert {row["indicator"] for row in rows} >= {
        "DC-EVALUADOS@OMS2006",
        "DA-EVALUADOS@OMS2006",
        "ANEMIA-EVALUADOS@MEF2025",
    }
    for row in rows:
        assert row["districts"] > 100 and row["correlation"] > 0.6 and row["distance"] < 6, row
