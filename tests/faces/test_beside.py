"""Beside a figure stand what others published of the same and what happened there; neither changes it."""

import json
from datetime import date
from pathlib import Path

from winay.actions.beside import Beside
from winay.actions.opening import opened
from winay.core.periods import Month

FACILITIES = Path(__file__).resolve().parents[1] / "samples/establecimientos.csv"


def answered(winay, *line):
    status, out, err = winay(*line, "--json")
    assert status == 0, err
    return json.loads(out)


def test_series_are_there_before_anybody_is_loaded(winay, tmp_path):
    """A fresh workspace has the public figures of every district; none that is asked for and unknown."""
    fresh = ("-w", str(tmp_path / "fresh"))
    winay("init", str(tmp_path / "fresh"))
    rows = answered(winay, "series", "sien-anemia-6-35m", *fresh)
    assert len(rows) > 1800
    assert {row["issuer"] for row in rows} == {"INS"}
    assert all(row["caveat"] for row in rows)
    assert {row["place"][:4] for row in answered(winay, "series", "sien-anemia-6-35m", "--place", "0101", *fresh)} == {
        "0101"
    }
    (peru,) = answered(winay, "figures", "MEF-4910", "--period", "2018", *fresh)[:1]
    assert (peru["value"], peru["low"], peru["issuer"]) == (43.5, None, "INEI")
    status, _, err = winay("series", "sien-anemia", *fresh)
    assert (status, "quiso decir" in err) == (2, True)


def test_a_loaded_value_wins_from_the_day_it_is_known(winay):
    """The survey's value of 2021, loaded with its interval, stands for the shipped one; before it was known, the shipped."""
    line = ("figures", "MEF-4910", "--period", "2021", "-w", "ws")
    now, before = answered(winay, *line), answered(winay, *line, "--known-on", "2026-11-04")
    assert [(r["value"], r["low"], r["high"], r["date"]) for r in now if not r["target"]] == [
        (88.8, 87.7, 89.9, "2022-05-20")
    ]
    assert [(r["value"], r["low"]) for r in before if not r["target"]] == [(38.8, None)]
    regions = answered(winay, "figures", "MEF-4910", "--by", "region", "--period", "2031", "-w", "ws")
    assert [(r["place"], r["value"], r["denominator"]) for r in regions] == [("01", 77.7, 77)]


def test_a_sheet_that_nobody_published_says_what_to_do(winay):
    status, out, err = winay("figures", "MEF-4655", "-w", "ws")
    assert (status, out, "winay load" in err) == (0, "", True)


def test_counts_are_no_percentages(winay):
    """Of the targets of one fund some are shares and some count settlements."""
    units = {
        code: answered(winay, "series", f"fed-meta-{code}", "-w", "ws")[0]["unit"] for code in ("MC-02.01", "AI-01.01a")
    }
    assert units == {"MC-02.01": "%", "AI-01.01a": "n"}


def test_the_chain_carries_targets_and_what_happened(winay):
    """A target is the region's next share of that year, never a count; what happened stands above, or at its link."""
    winay("evaluate", "--on", "2026-10-31", "--known-on", "2026-11-05", "-w", "ws")
    told = answered(winay, "chain", "--place", "01", "-w", "ws")
    targets = Beside(opened(Path("ws")), date(2026, 11, 5)).targets(
        "01", [Month.parse("2025-10"), Month.parse("2026-10")]
    )
    assert (targets["MC-02.01"], "AI-01.01a" in targets) == ({"2026-10": 34.3 / 100}, False)
    assert [event["kind"] for event in told["context"]] == ["strike"]
    beside = {
        link["product"]: [event["kind"] for event in link["context"]] for link in told["links"] if link["context"]
    }
    assert beside["3033172/apn"] == ["no-staff"]
    assert "PE/dni" not in beside


def figures(winay, level):
    winay("evaluate", "--on", "2026-10-31", "--known-on", "2026-11-05", "-w", "ws")
    rows = answered(winay, "figures", "MC-02.01", "--by", level, "--period", "2026-10", "-w", "ws")
    return {row["place"]: row for row in rows}


def test_a_computed_figure_carries_what_was_published(winay):
    """Baseline: the last one up to the month; target: the first from the month on."""
    beside = figures(winay, "region")["01"]["published"]
    assert [(r["target"], r["period"], r["value"]) for r in beside] == [(False, "2025", 31.3), (True, "2026-11", 34.3)]


def test_context_touches_above_and_below_and_only_its_product(winay):
    """A province's strike stands beside its district and its region; a facility's stock-out of what the package counts too.

    Not the lack of staff for another product, the epidemic of another region, nor the flood of the month before.
    """
    assert winay("load", "establecimientos", str(FACILITIES), "--known-on", "2026-11-05", "-w", "ws")[0] == 0
    place = figures(winay, "district")["010101"]
    assert [(e["kind"], e["place"]) for e in place["context"]] == [("stock-out", "010101"), ("strike", "0101")]
    region = figures(winay, "region")["01"]
    assert [e["kind"] for e in region["context"]] == ["stock-out", "strike"]
    told = winay("figures", "MC-02.01", "--by", "district", "--period", "2026-10", "-w", "ws")[1]
    assert "huelga 2026-10-03 … 2026-10-20 Chachapoyas (paro de ejemplo)" in told
    proof = winay("explain", "MC-02.01@FED2026/010101/2026-10", "-w", "ws")[1]
    assert "contexto: desabastecimiento 2026-09-20 … hoy Chachapoyas" in proof


def test_context_changes_no_verdict(winay, shelf):
    """A flood of the whole country becomes known: it stands beside every figure, and no number is another."""
    (shelf / "crecida.csv").write_text("desde,hasta,motivo\n2026-10-01,2026-10-31,inundacion\n")
    assert winay("load", "contexto", "crecida.csv", "--known-on", "2026-11-06", "--yes", "-w", "ws")[0] == 0
    line = ("figures", "MC-02.01", "--by", "district", "--on", "2026-10-31", "-w", "ws", "--known-on")
    before, after = answered(winay, *line, "2026-11-05"), answered(winay, *line, "2026-11-06")
    numbers = ("place", "numerator", "denominator", "excluded")
    assert [[row[n] for n in numbers] for row in before] == [[row[n] for n in numbers] for row in after]
    assert all(len(b["context"]) + 1 == len(a["context"]) for b, a in zip(before, after, strict=True))
