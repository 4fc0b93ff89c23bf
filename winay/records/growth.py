"""What measurements prove: growth under the WHO Child Growth Standards (2006), haemoglobin brought to sea level.

The method of the standards (WHO, Child growth standards: methods and development, 2006, chapter 5; WHO Anthro manual 2011):
LMS to day 1826; weight beyond 3 deviations is measured by the distance between 2 and 3; length is lying down below 731 days.
"""

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from winay.core.ages import MonthEnd, after
from winay.programme.load import Programme
from winay.programme.measures import Haemoglobin

Numbers = NDArray[np.float64]
LAST_DAY = 1826
"""The last day of age of the tables; nothing is said of older children."""
LYING_DAYS = 731
"""Children are measured lying below this age (24 months), standing from it on."""
LYING_IS_LONGER = 0.7
"""Centimetres: what to add to a height to have the length (WHO Anthro manual, 2011)."""
PLAUSIBLE = {"haz": (-6.0, 6.0), "waz": (-6.0, 5.0), "whz": (-5.0, 5.0)}
"""Scores outside are errors of measurement (WHO Anthro manual 2011), and are not used."""


class Lms(NamedTuple):
    """Power, median and coefficient of variation of a measure, at ages in days or lengths in cm, equally spaced."""

    first: float
    step: float
    values: Numbers

    def at(self, where: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """L, M and S, interpolated between neighbours; NaN outside the table."""
        place = (where - self.first) / self.step
        grid = np.arange(self.values.shape[1])
        lms = [np.interp(place, grid, row, left=np.nan, right=np.nan) for row in self.values]
        return lms[0], lms[1], lms[2]


@cache
def standards() -> dict[tuple[str, str], Lms]:
    """(measure, sex) -> table. Measures: lfa and wfa by day of age, wfl and wfh by cm; sex: F, M."""
    table = pd.read_csv(str(files("winay") / "records" / "who2006.csv.gz"))
    made = {}
    for (measure, sex), rows in table.groupby(["measure", "sex"]):
        at = rows["at"].to_numpy()
        made[str(measure), str(sex)] = Lms(at[0], at[1] - at[0], rows[["l", "m", "s"]].to_numpy().T)
    return made


def zscores(children: pd.DataFrame) -> pd.DataFrame:
    """haz, waz, whz (height for age, weight for age, weight for height), one row a measured child, in their order.

    children: sex (F, M), age (days), weight (kg), height (cm), lying (true, false, or null: as the age says) and oedema.
    NaN where a value is missing or not plausible, past the tables, or, for weight, with oedema.
    """
    age, height = children["age"].to_numpy(np.float64), children["height"].to_numpy(np.float64)
    weight = np.where(children["oedema"].to_numpy(bool), np.nan, children["weight"].to_numpy(np.float64))
    young = age < LYING_DAYS
    lying = np.where(children["lying"].isna(), young, children["lying"].fillna(False).astype(bool))
    length = height + LYING_IS_LONGER * (young.astype(int) - lying.astype(int))
    scores = {name: np.full(len(children), np.nan) for name in PLAUSIBLE}
    for sex in ("F", "M"):
        of = (children["sex"] == sex).to_numpy() & (age >= 0) & (age <= LAST_DAY)
        scores["haz"][of] = _z(length[of], *standards()["lfa", sex].at(age[of]))
        scores["waz"][of] = _z_of_weight(weight[of], *standards()["wfa", sex].at(age[of]))
        for measure, which in (("wfl", of & young), ("wfh", of & ~young)):
            scores["whz"][which] = _z_of_weight(weight[which], *standards()[measure, sex].at(length[which]))
    for name, (low, high) in PLAUSIBLE.items():
        scores[name][~((scores[name] >= low) & (scores[name] <= high))] = np.nan
    return pd.DataFrame(scores, index=children.index)


def _z(value: Numbers, power: Numbers, median: Numbers, spread: Numbers) -> Numbers:
    score: Numbers = ((value / median) ** power - 1) / (power * spread)
    return score


def _z_of_weight(value: Numbers, power: Numbers, median: Numbers, spread: Numbers) -> Numbers:
    """Beyond 3 deviations, by the distance between the second and the third: weights have a long tail."""

    def deviation(z: int) -> Numbers:
        weight: Numbers = median * (1 + power * spread * z) ** (1 / power)
        return weight

    score = _z(value, power, median, spread)
    high = 3 + (value - deviation(3)) / (deviation(3) - deviation(2))
    low = -3 + (value - deviation(-3)) / (deviation(-2) - deviation(-3))
    return np.where(score > 3, high, np.where(score < -3, low, score))


def at_sea_level(haemoglobin: Numbers, metres: Numbers, rule: Haemoglobin) -> Numbers:
    """g/dL less what a rule takes off for the altitude where the person lives; NaN where that is not known."""
    if rule.steps:
        starts, less = (np.array(column, np.float64) for column in zip(*rule.steps, strict=True))
        taken = np.append(0.0, less)[np.searchsorted(starts, metres, side="right")]
    else:
        linear, square = map(float, rule.curve or (0, 0))
        taken = np.where(metres >= float(rule.curve_from), linear * metres + square * metres**2, 0.0)
    adjusted: Numbers = haemoglobin - np.where(np.isnan(metres), np.nan, taken)
    return adjusted


def proved(programme: Programme, rows: pd.DataFrame) -> pd.DataFrame:
    """What measurements prove: subject, service (its number), day; a value that is missing or not plausible proves nothing.

    rows: one a measurement: subject, day, birth, sex (F, M), weight (kg), height (cm), haemoglobin (g/dL), and the
    attributes of the place of residence that day that rule sets for haemoglobin ask for.
    """
    days = rows["day"].to_numpy("datetime64[D]").astype(np.int32)
    births = rows["birth"].to_numpy("datetime64[D]").astype(np.int32)
    children = rows.assign(age=days - births, lying=None, oedema=False)
    scores = zscores(children)
    made = []
    for name, measure in programme.measures.items():
        if measure.of == "haemoglobin":
            assert measure.rules
            rule = programme.haemoglobin[measure.rules]
            value = at_sea_level(_numbers(rows["haemoglobin"]), _numbers(rows[rule.altitude]), rule)
            limit = _cut_off(rule, str(measure.below or "anaemia"), births, days, programme.head.month_end)
            value = np.where(np.isnan(limit), np.nan, value)
        else:
            value, limit = scores[measure.of].to_numpy(), np.full(len(rows), float(measure.below or np.nan))
        holds = ~np.isnan(value)
        if measure.below is not None:
            holds &= value < limit
        if measure.above is not None:
            holds &= value > float(measure.above)
        made.append(rows.loc[holds, ["subject", "day"]].assign(service=programme.service_numbers[name]))
    return pd.concat(made) if made else rows[["subject", "day"]].iloc[:0].assign(service=0)


def _cut_off(rule: Haemoglobin, severity: str, births: Any, days: Any, month_end: MonthEnd) -> Numbers:
    """The limit of each child's age; NaN at an age for which the rule has none."""
    limit = np.full(len(days), np.nan)
    for cut in rule.cut_offs:
        low, high = (after(age, births, month_end) for age in cut.age)
        limit[(days >= low) & (days < high)] = float(getattr(cut, severity) or np.nan)
    return limit


def _numbers(column: pd.Series) -> Numbers:
    numbers: Numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    return numbers
