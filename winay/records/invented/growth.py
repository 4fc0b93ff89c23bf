"""Heights and weights of invented children: z-scores read back under the standards that measurements are judged by."""

from typing import Any

import numpy as np

from winay.records.growth import LYING_DAYS, Lms, Numbers, standards


def measures(sex: Any, birth: Any, tall: Any, heavy: Any, day: Any) -> tuple[Numbers, Numbers]:
    """Centimetres and kilos by z-scores of height for age and of weight for height; NaN past the tables (60 months)."""
    age = np.asarray(day - birth, np.float64)
    z_height, z_weight = (np.asarray(z, np.float64) for z in (tall, heavy))
    height, weight = np.full(len(age), np.nan), np.full(len(age), np.nan)
    for one in ("F", "M"):
        of = np.asarray(sex == one)
        height[of] = _value(standards()["lfa", one], age[of], z_height[of])
        for measure, who in (("wfl", of & (age < LYING_DAYS)), ("wfh", of & (age >= LYING_DAYS))):
            weight[who] = _value(standards()[measure, one], height[who], z_weight[who])
    return height, weight


def _value(table: Lms, at: Numbers, z: Numbers) -> Numbers:
    """What has this score at these ages or heights."""
    power, median, spread = table.at(at)
    value: Numbers = median * (1 + power * spread * z) ** (1 / power)
    return value
