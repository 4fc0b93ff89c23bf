"""The subjects of one kind as arrays, the plan of what they are owed, and the days their ages are counted from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import Age, MonthEnd, after
from winay.engine.plan import NO_DAY, Plan, compile, event_schedule
from winay.programme.load import Programme
from winay.programme.standards import Anchor

Days = NDArray[np.int32]
Mask = NDArray[np.int32]
BLOCK = 50_000
"""Subjects a block: a few megabytes of records each, so that memory stays flat."""
DECADE = 3653
MARGIN = 400
"""Days around births that anchors and records may lie outside of: a pregnancy before, a plan's reach after."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONDAY = 4
"""1970-01-05, in days since 1970-01-01."""


@dataclass(frozen=True)
class Units:
    """One row a subject of one kind.

    table: the subjects' rows, in order of `subject`. births: int32 days since 1970. offsets: [n + 1] into services (int16)
    and days (int32), which are sorted by service and day within a subject. fits: [n, track], the `who` of variants; None:
    all fit. chosen: by `first` and `last`, the months at whose end an episode is its person's; others choose nothing.
    """

    kind: str
    table: pa.Table
    births: Days
    offsets: NDArray[np.int64]
    services: NDArray[np.int16]
    days: Days
    fits: NDArray[np.bool_] | None = None
    chosen: Mapping[str, Mask] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: str, subjects: pa.Table, services: pa.Table) -> "Units":
        """subjects: dense numbers in order; services: subject, service, day, sorted. Only this kind's rows are taken."""
        rows = subjects.filter(pc.equal(subjects["kind"], kind)).combine_chunks()
        owners, numbers = services["subject"].to_numpy(), rows["subject"].to_numpy()
        starts, stops = (np.searchsorted(owners, numbers, side) for side in ("left", "right"))
        if len(numbers) and (starts[1:] == stops[:-1]).all():
            part = services.slice(starts[0], stops[-1] - starts[0])
        else:
            spans = [np.arange(a, b) for a, b in zip(starts, stops, strict=True)]
            part = services.take(np.concatenate([np.empty(0, np.int64), *spans]))
        offsets = np.append(0, np.cumsum(stops - starts)).astype(np.int64)
        births, days = (np.array(column.cast(pa.int32())) for column in (rows["birth"], part["day"]))
        return cls(kind, rows, births, offsets, part["service"].to_numpy(), days)

    @classmethod
    def few(cls, kind: str, subjects: pa.Table, services: pa.Table, numbers: list[int]) -> "Units":
        """Some subjects alone."""
        return cls.of(kind, subjects.filter(pc.is_in(subjects["subject"], pa.array(numbers, pa.int32()))), services)

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """[unit]: its dense number, increasing."""
        return self.table["subject"].to_numpy()  # type: ignore[no-any-return]

    @cached_property
    def birthdays(self) -> Days:
        """The days on which somebody was born, each once."""
        return np.unique(self.births)

    def __len__(self) -> int:
        return len(self.births)

    def records(self, service: int) -> tuple[NDArray[np.int64], Days]:
        """(unit, day) of each record of a service, in order."""
        at = np.flatnonzero(self.services == service)
        return np.searchsorted(self.offsets, at, "right") - 1, self.days[at]

    def mine(self, rows: pa.Table) -> tuple[pa.Table, NDArray[np.int64]]:
        """(the rows about these subjects, where their subjects stand among these); rows: in order of `subject`."""
        owners = rows["subject"].to_numpy()
        low, high = np.searchsorted(owners, [self.numbers[0], self.numbers[-1] + np.int32(1)]) if len(self) else (0, 0)
        at = np.searchsorted(self.numbers, owners[low:high])
        there = self.numbers[at] == owners[low:high]
        rows = rows.slice(low, high - low)
        return (rows, at) if there.all() else (rows.filter(pa.array(there)), at[there])

    def blocks(self) -> Iterator["Units"]:
        """The same in parts of BLOCK; one at least."""
        for low in range(0, max(len(self), 1), BLOCK):
            high = min(low + BLOCK, len(self))
            a, b = int(self.offsets[low]), int(self.offsets[high])
            fits = None if self.fits is None else self.fits[low:high]
            chosen = {which: mask[low:high] for which, mask in self.chosen.items()}
            records = self.offsets[low : high + 1] - a, self.services[a:b], self.days[a:b]
            yield Units(self.kind, self.table.slice(low, high - low), self.births[low:high], *records, fits, chosen)


def plan_for(programme: Programme, units: Units, on: int) -> Plan:
    """The plan of everything one kind of subject is owed, for the days that its records can lie on.

    Plans are made for whole decades and kept, so that one subject does not wait for the calendar.
    """
    first = min(int(units.births.min(initial=on)), int(units.days.min(initial=on))) - MARGIN
    last = max(int(units.births.max(initial=on)), int(units.days.max(initial=on)), on) + MARGIN
    return _plan(programme, units.kind, first // DECADE * DECADE, (last // DECADE + 1) * DECADE)


@lru_cache(maxsize=8)
def _plan(programme: Programme, kind: str, first: int, last: int) -> Plan:
    month_end = programme.head.month_end
    events = [event_schedule(name, e, month_end) for name, e in programme.events.items() if e.subject == kind]
    schedules = [s for s in programme.schedules.values() if s.subject == kind]
    return compile([*events, *schedules], programme.service_numbers, first, last)


def timed_by(plan: Plan) -> list[str]:
    """The attributes that anchors are looked back by."""
    anchors = [track.schedule.anchor for track in plan.tracks]
    return sorted({anchor.times for anchor in anchors if isinstance(anchor, Anchor) and anchor.times})


def anchors_of(plan: Plan, units: Units) -> Days:
    """[unit, track]: the day the ages of each track are counted from, as far as the unit itself gives it."""
    numbers = {n: units.table[n].cast(pa.float64()).to_numpy(zero_copy_only=False) for n in timed_by(plan)}
    return given_anchors(plan, units.kind, units.births, numbers)


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
            day = _looked_back(anchor, births, times, track.schedule.month_end)
            result[:, track.number] = np.where((day >= plan.first_day) & (day <= plan.last_day), day, NO_DAY)
    return result


def _looked_back(anchor: Anchor, births: Days, times: NDArray[np.float64], month_end: MonthEnd) -> Days:
    """The day `times` steps of `back` before each birth, moved back to the weekday; NO_DAY where `times` is NaN."""
    assert anchor.back is not None
    result = np.full(len(births), NO_DAY, np.int32)
    for many in np.unique(times[~np.isnan(times)]):
        same = times == many
        day = after(Age(-int(many) * anchor.back.months, -int(many) * anchor.back.days), births[same], month_end)
        if anchor.to_weekday:
            day = day - (day - MONDAY - WEEKDAYS.index(anchor.to_weekday)) % 7
        result[same] = day
    return result
