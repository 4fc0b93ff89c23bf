"""`import winay` in a notebook: the same verbs as the command line, figures and lists as Ibis tables."""

import subprocess
import sys
from datetime import date

import pytest

import winay


@pytest.fixture
def ws(winay_at, shelf):
    return winay.open(shelf / "ws")


@pytest.fixture
def winay_at(shelf, monkeypatch):
    monkeypatch.setenv("WINAY_KEY_FILE", str(shelf / "key"))
    from winay.cli.app import run

    assert run(["evaluate", "--on", "2026-10-31", "--known-on", "2026-11-05", "-w", str(shelf / "ws")]) == 0


def test_figures_and_the_list_behind_them(ws):
    figures = ws.figures("MC-02.01", by="province", period="2026-10")
    frame = figures.to_pandas()
    assert list(frame.columns[:3]) == ["address", "indicator", "rules"]
    people = ws.subjects("MC-02.01", "2026-10")
    assert int(frame.denominator.sum() + frame.excluded.sum()) == people.count().to_pandas()
    assert {"subject", "district", "verdict", "penta"} <= set(people.columns)
    assert ws.subjects("MC-02.01", "2026-10", place="160101").to_pandas().empty


def test_a_proof_and_the_programme(ws):
    assert ws.explain("dni:00770001", on=date(2026, 10, 31))["registry"]
    assert "MC-02.01@FED2026" in ws.programme.indicators


def test_importing_is_light():
    """Neither Django nor Spark, nor anything that takes long."""
    heavy = ("django", "pyspark", "ibis", "pandas", "numba", "duckdb")
    code = f"import winay, sys; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
