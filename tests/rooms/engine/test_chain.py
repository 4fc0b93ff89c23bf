"""Which link fails, since when, and where a package loses whom: on tables written by hand."""

import pyarrow as pa
import pytest

from winay.core.periods import Month
from winay.engine.chain import cascade, coverage, links, results, since
from winay.programme.load import load
from winay.programme.locate import find

LAST = Month(2026, 6)


def months(*numerators, denominator=100, reporting=5, facilities=5):
    """The figures of the months up to LAST; None: nobody in the cohort."""
    rows = {}
    for back, numerator in enumerate(reversed(numerators)):
        row = {"numerator": numerator or 0, "denominator": 0 if numerator is None else denominator}
        rows[str(LAST.before(back))] = row | {"reporting": reporting, "facilities": facilities}
    return rows


SINCE = {
    # own, country, published targets -> since, against
    "three in a row": ((60, 40, 40, 40), (50, 50, 50, 50), {}, "2026-04", "country"),
    "longer": ((40, 40, 40, 40), (50, 50, 50, 50), {}, "2026-03", "country"),
    "two are not enough": ((60, 60, 40, 40), (50, 50, 50, 50), {}, None, "country"),
    "ended": ((40, 40, 40, 60), (50, 50, 50, 50), {}, None, "country"),
    "the country's month": ((40, 40, 40, 40), (30, 50, 50, 50), {}, "2026-04", "country"),
    "equal is not below": ((50, 50, 50, 50), (50, 50, 50, 50), {}, None, "country"),
    "a month without figure": ((40, 40, None, 40), (50, 50, 50, 50), {}, None, "country"),
    "published target": ((40, 40, 40, 40), (30, 30, 30, 30), dict.fromkeys(months(1, 1, 1), 0.45), "2026-04", "target"),
}


@pytest.mark.parametrize("case", SINCE)
def test_since_when(case):
    own, country, targets, expected, against = SINCE[case]
    told = coverage(months(*own), months(*country), LAST, targets, is_country=False)
    assert (told["since"], told["against"], told["why"]) == (expected, against, None)


def test_the_country_against_its_own_median():
    own = months(60, 60, 60, 60, 40, 40, 40)
    told = coverage(own, own, LAST, {}, is_country=True)
    assert (told["since"], told["against"], told["bar"]) == ("2026-04", "median", 0.6)


def test_what_a_link_says():
    """Coverage, points against three months before, how many went without."""
    told = coverage(months(70, 60, 65, 60), months(80, 80, 80, 80), LAST, {}, is_country=False)
    assert (told["coverage"], told["missed"]) == (0.6, 40)
    assert told["trend"] == pytest.approx(-0.1)
    assert since({}, {}, LAST) is None


WHY = {
    "no records yet": (months(0, 0), months(0, 0)),
    "nobody was owed it that month": (months(5, None), months(9, 9)),
    "no facility reported": (months(0, 0, reporting=0), months(9, 9)),
}


@pytest.mark.parametrize("why", WHY)
def test_silence_is_no_failure(why):
    """Nothing known is told as that, never as a coverage of nought."""
    told = coverage(*WHY[why], LAST, {}, is_country=False)
    assert (told["why"], told["coverage"], told["missed"], told["since"]) == (why, None, None, None)


def test_the_weakest_link_comes_first():
    """By how many go without, whatever the coverage; one without a coverage last, and says why."""
    programme = load(find("pe-dit"))
    own = {
        "MIDIS-29@MIDIS2024": months(10, denominator=100),
        "MEF-4909@MEF2025": months(900, denominator=1000),
        "MEF-4645@MEF2025": months(50, denominator=200),
        "MEF-4934@MEF2025": months(5, denominator=10),
    }
    rows = links(programme, own, own, LAST, {})
    assert [(row["product"], row["missed"]) for row in rows[:3]] == [
        ("3033255/cred-1a", 150),
        ("3033254/spr", 100),
        ("PE/dni", 90),
    ]
    assert rows[0]["indicator"] == "MEF-4645@MEF2025"
    assert {row["why"] for row in rows[3:]} == {"no indicator", "no records yet"}
    assert rows[2]["leads_to"] and rows[2]["entity"] == "RENIEC"
    assert not {"3033254", "3033255"} & {row["product"] for row in rows}, "their divisions stand for them"


def test_a_result_carries_the_target_of_what_measures_it():
    own = {"MC-02.01@FED2026": months(30, denominator=90)}
    rows = results(load(find("pe-dit")), own, own, LAST, {"MC-02.01": {str(LAST): 0.5}, "MEF-4909": {str(LAST): 0.9}})
    (row,) = [row for row in rows if row["target"]]
    assert (row["result"], row["value"], row["target"]) == ("paquete-menor-12", 1 / 3, 0.5)


def test_cascade():
    """Bit 2 of four in the denominator: all; without b; without b; without a and b. One is outside, one in another month."""
    everybody = [3, 2, 2, 3, 0, 1]
    verdicts = pa.table({
        "denominator": everybody,
        "met": [2, 0, 0, 0, 0, 1],
        "c__a": [2, 2, 3, 1, 2, 1],
        "c__b": [2, 0, 1, 0, 2, 1],
    })  # fmt: skip
    assert cascade(verdicts, 2) == {
        "denominator": 4,
        "whole": 1,
        "components": [
            {"name": "a", "got": 3, "so_far": 3, "only": 0},
            {"name": "b", "got": 1, "so_far": 1, "only": 2},
        ],
        "repair": "b",
    }
    nobody = cascade(verdicts, 8)
    assert (nobody["denominator"], nobody["repair"]) == (0, None)
