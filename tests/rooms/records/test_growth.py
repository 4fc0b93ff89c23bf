"""Growth under the WHO standards of 2006, and haemoglobin at altitude: published values and the norms' own examples."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from winay.records.growth import at_sea_level, zscores

MEF = SimpleNamespace(steps=None, curve=(-0.0001056, 0.00000023958244), curve_from=1000)
NTS213 = SimpleNamespace(steps=[(0, 0), (500, 0.4), (1000, 0.8), (3000, 2.1), (3500, 2.5)], curve=None)


def scores(**child) -> dict:
    whole = {"sex": "M", "age": 365, "weight": np.nan, "height": np.nan, "lying": None, "oedema": False} | child
    return zscores(pd.DataFrame([whole])).iloc[0].round(2).to_dict()


@pytest.mark.parametrize(
    ("child", "score", "expected"),
    [
        # The simplified field tables of the standards: median and -2, -3 deviations.
        ({"sex": "M", "age": 365, "height": 75.7}, "haz", 0.0),
        ({"sex": "M", "age": 365, "height": 71.0}, "haz", -2.0),
        ({"sex": "F", "age": 365, "height": 68.9}, "haz", -2.0),
        ({"sex": "M", "age": 365, "weight": 7.7}, "waz", -2.0),
        ({"sex": "F", "age": 365, "weight": 6.3}, "waz", -3.0),
        ({"sex": "F", "age": 1096, "weight": 13.9}, "waz", 0.0),
        ({"sex": "M", "age": 1096, "height": 88.7}, "haz", -2.0),
    ],
)
def test_scores_agree_with_the_published_tables(child, score, expected):
    assert scores(**child)[score] == pytest.approx(expected, abs=0.06)


def test_a_child_measured_the_other_way_gains_or_loses_7_millimetres():
    standing = scores(age=700, height=82.0, lying=False)
    assert standing["haz"] == scores(age=700, height=82.7, lying=True)["haz"]
    assert scores(age=800, height=85.0, lying=True)["haz"] == scores(age=800, height=84.3)["haz"]


def test_weight_for_height_is_by_length_below_two_years_and_by_height_from_then_on():
    assert scores(age=730, height=85.0, weight=11.8)["whz"] != scores(age=731, height=85.0, weight=11.8)["whz"]


def test_a_weight_far_out_is_measured_by_the_distance_between_the_second_and_third_deviation():
    two, three = scores(weight=12.0)["waz"], scores(weight=13.3)["waz"]
    assert (round(two), round(three)) == (2, 3)
    assert 4.0 < scores(weight=15.0)["waz"] < 4.4


@pytest.mark.parametrize(
    ("child", "missing"),
    [
        ({"age": 1827, "height": 110.0, "weight": 18.0}, {"haz", "waz", "whz"}),
        ({"age": -1, "height": 50.0, "weight": 3.0}, {"haz", "waz", "whz"}),
        ({"height": 75.0, "weight": 9.5, "oedema": True}, {"waz", "whz"}),
        ({"height": 120.0, "weight": 9.5}, {"haz", "whz"}),
        ({"height": 57.0, "weight": 9.5}, {"haz", "whz"}),
    ],
)
def test_who_is_too_old_swollen_or_not_plausible_has_no_score(child, missing):
    assert {name for name, value in scores(**child).items() if np.isnan(value)} == missing


@pytest.mark.parametrize(
    ("rule", "metres", "taken"),
    [
        (MEF, 999, 0),
        (MEF, 3000, 1.8394),
        (MEF, 3400, 2.4105),
        (NTS213, 499, 0),
        (NTS213, 500, 0.4),
        (NTS213, 3400, 2.1),
    ],
)
def test_altitude_takes_off_what_the_rule_says(rule, metres, taken):
    assert 11.9 - at_sea_level(np.array([11.9]), np.array([metres]), rule)[0] == pytest.approx(taken, abs=0.001)


def test_without_the_altitude_nothing_is_known():
    assert np.isnan(at_sea_level(np.array([11.9]), np.array([np.nan]), NTS213)[0])
