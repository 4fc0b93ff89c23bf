"""The days ages are counted from that the unit itself gives: its birth, or a day looked back from it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from winay.core.ages import Age, MonthEnd, after
from winay.engine.plan import NO_DAY, Plan
from winay.programme.standards import Anchor

Days = NDArray[np.int32]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONDAY = 4
"""1970-01-05, in days since 1970-01-01."""


def given_anchors(plan: Plan, kind: str, births: Days, attributes: Mapping[str, NDArray[np.float64]]) -> Days:
    """int32 [unit, track] for units of one kind; NO_DAY for other kinds, a missing attribute, a day before the plan's.

    attributes: by name, one number a unit, NaN where missing; those that anchors name as `times`.
    """
    result = np.full((len(births), len(plan.tracks)), NO_DAY, np.int32)
    for track in plan.tracks:
        anchor = track.schedule.anchor
        if track.schedule.subject != kind:
            continue
        if anchor == "birth":
            result[:, track.number] = births
        elif isinstance(anchor, Anchor) and anchor.back is not None:
            times = attributes[anchor.times] if anchor.times else np.ones(len(births))
            day = looked_back(anchor, births, times, track.schedule.month_end)
            result[:, track.number] = np.where((day >= plan.first_day) & (day <= plan.last_day), day, NO_DAY)
    return result


def looked_back(anchor: Anchor, births: Days, times: NDArray[np.float64], month_end: MonthEnd) -> Days:
    """The day `times` steps of `back` before each birth, moved back to the weekday; NO_DAY where `times` is NaN."""
    assert anchor.back is not None
    result = np.full(len(births), NO_DAY, np.int32)
    for many in np.unique(times[~np.isnan(times)]):
        same = times == many
        step = Age(-int(many) * anchor.back.months, -int(many) * anchor.back.days)
        day = after(step, births[same], month_end)
        if anchor.to_weekday:
            day = day - (day - MONDAY - WEEKDAYS.index(anchor.to_weekday)) % 7
        result[same] = day
    return result
