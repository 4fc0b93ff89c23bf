"""Spells in which something was seen, against counting the records of each day one by one."""

from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from winay.core.ages import Age, day_of, days_of
from winay.engine.seen import latest, seen

START = date(2023, 10, 1)
HISTORIES = st.lists(st.sets(st.integers(0, 500), max_size=8), min_size=1, max_size=3)
WITHIN = st.sampled_from([None, Age(1), Age(0, 45), Age(6)])


def flat(histories):
    rows = [(unit, days_of(START) + day) for unit, history in enumerate(histories) for day in sorted(history)]
    array = np.array(rows, np.int64).reshape(-1, 2)
    return array[:, 0], array[:, 1].astype(np.int32)


def holds(spells, unit: int, on: date) -> bool:
    return any(
        ((units == unit) & (starts <= days_of(on)) & (days_of(on) < ends)).any() for units, starts, ends in spells
    )


def inside(day: date, on: date, within: Age | None) -> bool:
    return day <= on and (day.year == on.year if within is None else within.after(day) >= on)


def counted(days: list[date], gap: int) -> list[date]:
    result: list[date] = []
    for day in sorted(days):
        if not result or (day - result[-1]).days >= gap:
            result.append(day)
    return result


@settings(deadline=None, max_examples=150, derandomize=True)
@given(HISTORIES, st.integers(1, 3), st.sampled_from([1, 15]), WITHIN, st.integers(0, 600))
def test_so_many_records_in_the_stretch(histories, times, gap, within, after):
    """In a year counting begins anew on 1 January; in a rolling stretch the gap is kept from the first record of all."""
    on = START + timedelta(days=after)
    spells = list(seen(*flat(histories), times, gap, within))
    for unit, history in enumerate(histories):
        days = [START + timedelta(days=n) for n in history]
        if within is None:
            many = counted([day for day in days if inside(day, on, None)], gap)
        else:
            many = [day for day in counted(days, gap) if inside(day, on, within)]
        assert holds(spells, unit, on) == (len(many) >= times)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(HISTORIES, st.sets(st.integers(0, 500)), WITHIN, st.integers(0, 600))
def test_the_latest_record_decides(histories, good, within, after):
    on = START + timedelta(days=after)
    units, days = flat(histories)
    flags = np.array([(day_of(day) - START).days in good for day in days], bool)
    spells = list(latest(units, days, flags, within))
    for unit, history in enumerate(histories):
        known = [START + timedelta(days=n) for n in history if START + timedelta(days=n) <= on]
        last = max(known, default=None)
        expected = last is not None and inside(last, on, within) and (last - START).days in good
        assert holds(spells, unit, on) == expected
