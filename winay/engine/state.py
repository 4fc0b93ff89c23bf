"""The subjects of one kind as arrays, and the month masks of what they received: all that verdicts are made of."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.engine.anchors import given_anchors
from winay.engine.conditions import Fold
from winay.engine.fold import ON_TIME, UP_TO_DATE, fold, spell_masks
from winay.engine.hands import statuses
from winay.engine.judging import FAR, Calendar, Days, JudgingDay, Mask
from winay.engine.kernel import Received, receive
from winay.engine.plan import NO_DAY, NONE, Plan, Track, compile, event_schedule
from winay.programme.load import Programme
from winay.programme.standards import Anchor

BLOCK = 50_000
"""Subjects a block: a few megabytes of records each, so that memory stays flat."""
NO_DAYS = np.empty(0, np.int32)
NONE_RELEASED = np.empty((0, 0), np.int16)
DECADE = 3653
MARGIN = 400
"""Days around births that anchors and records may lie outside of: a pregnancy before, a plan's reach after."""


@dataclass(frozen=True)
class Units:
    """One row a subject of one kind.

    table: the subjects' rows. births: int32 days since 1970. offsets: [n + 1] into services (int16) and days (int32),
    which are sorted by service and day within a subject. fits: [n, track], the `who` of variants; None: all fit.
    """

    kind: str
    table: pa.Table
    births: Days
    offsets: NDArray[np.int64]
    services: NDArray[np.int16]
    days: Days
    fits: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, kind: str, subjects: pa.Table, services: pa.Table) -> "Units":
        """subjects: dense numbers in order; services: subject, service, day, sorted. Only this kind's rows are taken."""
        rows = subjects.filter(pc.field("kind") == kind)
        numbers = rows["subject"].to_numpy().astype(np.int64)
        owners = services["subject"].to_numpy()
        if len(numbers) and int(numbers[-1] - numbers[0]) == len(numbers) - 1:
            low, high = np.searchsorted(owners, [numbers[0], numbers[-1] + 1])
            counts = np.bincount(owners[low:high] - numbers[0], minlength=len(numbers))
            part = services.slice(low, high - low)
        else:
            starts, stops = np.searchsorted(owners, numbers), np.searchsorted(owners, numbers, side="right")
            counts = stops - starts
            part = services.take(np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum()))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        births = rows["birth"].cast(pa.int32()).to_numpy()
        return cls(kind, rows, births, offsets, part["service"].to_numpy(), part["day"].cast(pa.int32()).to_numpy())

    def at(self, subjects: NDArray[np.int32]) -> NDArray[np.int64]:
        """Where subjects, all of them among these units, stand."""
        if len(self) and int(self.numbers[-1] - self.numbers[0]) == len(self) - 1:
            return subjects.astype(np.int64) - int(self.numbers[0])
        return np.searchsorted(self.numbers, subjects)

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """[unit]: its dense number, increasing."""
        numbers: NDArray[np.int32] = self.table["subject"].to_numpy()
        return numbers

    def __len__(self) -> int:
        return len(self.births)

    def part(self, low: int, high: int) -> "Units":
        """The subjects [low, high) of these."""
        a, b = int(self.offsets[low]), int(self.offsets[high])
        offsets = self.offsets[low : high + 1] - a
        rows = self.table.slice(low, high - low)
        fits = None if self.fits is None else self.fits[low:high]
        return Units(self.kind, rows, self.births[low:high], offsets, self.services[a:b], self.days[a:b], fits)

    def blocks(self) -> Iterable["Units"]:
        return (self.part(low, min(low + BLOCK, len(self))) for low in range(0, len(self), BLOCK))


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


@dataclass(frozen=True)
class Judge:
    """Folds what a block of units received into masks for one judging day."""

    plan: Plan
    calendar: Calendar
    judged: JudgingDay
    month_end: str

    @cached_property
    def _before(self) -> tuple[Mask, int]:
        return self.calendar.before

    def own(self, births: Days) -> Days:
        """Each unit's own judging day; empty where all share the calendar's."""
        own = self.judged.own(births, self.month_end)  # type: ignore[arg-type]
        return NO_DAYS if own is None else own

    def masks(self, units: Units, anchors: Days, got: Received, folds: Sequence[Fold]) -> dict[str, Mask]:
        exact = [f for f in folds if not self._plain(f)]
        result = {f.column: self._fold(f, units, got) for f in folds if self._plain(f)}
        return result | (self._exactly(exact, units, anchors) if exact else {})

    def _plain(self, wanted: Fold) -> bool:
        """Whether one evaluation serves all days, and `by` can be read from the plan alone."""
        tracks = self.plan.standards[wanted.standard]
        track = tracks[0]
        released = any(d.releases and d.gaps for d in track.route.deliveries)
        alone = len(tracks) == 1 and track.route.who is None and track.route.first is None
        return alone and track.stable and not released and not self.plan.by_from_gap[track.deliveries].any()

    def _fold(self, wanted: Fold, units: Units, got: Received) -> Mask:
        track = self.plan.standards[wanted.standard][0]
        columns = track.deliveries
        if wanted.delivery:
            columns = slice(columns.start + wanted.delivery - 1, columns.start + wanted.delivery)
        numbers = self.plan.released_in[columns]
        released = NONE_RELEASED
        if (numbers >= 0).any():
            released = np.pad(got.released, ((0, 0), (0, 1)), constant_values=NONE)[
                :, numbers
            ]  # -1: the column of never
        mask: Mask = fold(
            wanted.how, got.received[:, columns], released, units.births, got.anchors[:, track.number],
            self.plan.by[:, columns], self.plan.first_day, self.own(units.births), *self._before, self.calendar.all,
        )  # fmt: skip
        return self._begun(wanted, track, units, got.anchors[:, track.number], mask)

    def _begun(self, wanted: Fold, track: Track, units: Units, anchors: Days, mask: Mask) -> Mask:
        """Before the day that a standard starts at was known to come, it asks for nothing and gives nothing."""
        anchor = track.schedule.anchor
        if not isinstance(anchor, Anchor) or anchor.back is not None:
            return mask
        starts = np.where(anchors == NO_DAY, FAR, anchors).astype(np.int32)
        begun: Mask = spell_masks(
            starts, np.full(len(starts), FAR, np.int32), self.own(units.births), *self._before, self.calendar.all
        )
        return mask | (begun ^ self.calendar.all) if wanted.how == UP_TO_DATE else mask & begun

    def _exactly(self, folds: Sequence[Fold], units: Units, anchors: Days) -> dict[str, Mask]:
        """The same from the status of every delivery, evaluated for each judging day on the records up to it."""
        own = self.own(units.births)
        days = [own] if own.size else [np.full(len(units), day, np.int32) for day in self.calendar.days]
        result = {f.column: np.zeros(len(units), np.int32) for f in folds}
        for bit, day in enumerate(days):
            rows = statuses(
                self.plan, units.births, anchors, units.offsets, units.services, units.days, day, units.fits
            )
            for f in folds:
                held = _holds(f, rows, day)
                result[f.column] |= np.where(held, self.calendar.all if own.size else 1 << bit, 0).astype(np.int32)
        return result


def _holds(wanted: Fold, rows: pa.Table, on: Days) -> NDArray[np.bool_]:
    """[unit]: what `fold` says, read from the status of every delivery on one day."""
    mine = rows.filter(pc.equal(rows["standard"], wanted.standard))
    if wanted.delivery:
        mine = mine.filter(pc.equal(mine["delivery"], wanted.delivery))
    unit, status = mine["subject"].to_numpy(), np.asarray(mine["status"].to_pylist())
    by = mine["by"].cast(pa.int32()).fill_null(FAR).to_numpy()
    unpaid = ~np.isin(status, ["on_time", "late", "not_owed"])
    if wanted.how == UP_TO_DATE:
        failing = unpaid & (status != "exempt") & (by < on[unit])
    else:
        failing = unpaid | ((status == "late") & (wanted.how == ON_TIME))
    result = np.ones(len(on), bool) if wanted.how == UP_TO_DATE else np.isin(np.arange(len(on)), unit)
    result[unit[failing]] = False
    return result


def block_masks(
    block: Units, plan: Plan, judges: dict[JudgingDay, Judge], folds: dict[JudgingDay, list[Fold]]
) -> dict[JudgingDay, dict[str, Mask]]:
    """The masks of one block of units, evaluated once for all judging days."""
    anchors = anchors_of(plan, block)
    got = receive(plan, block.births, anchors, block.offsets, block.services, block.days, None, block.fits)
    return {judged: judge.masks(block, anchors, got, folds[judged]) for judged, judge in judges.items()}


def state(
    units: Units,
    plan: Plan,
    judges: dict[JudgingDay, Judge],
    folds: dict[JudgingDay, list[Fold]],
    on_block: Callable[[int], None] | None = None,
) -> dict[JudgingDay, pa.Table]:
    """For each judging day one table: `subject` and a mask column a fold; blocks run side by side on all cores."""

    def one(block: Units) -> dict[JudgingDay, dict[str, Mask]]:
        masks = block_masks(block, plan, judges, folds)
        if on_block:
            on_block(len(block))
        return masks

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(one, units.blocks()))
    subject = units.table["subject"]
    return {
        judged: pa.table(
            {"subject": subject}
            | {f.column: np.concatenate([part[judged][f.column] for part in parts] or [NO_DAYS]) for f in folds[judged]}
        )
        for judged in judges
    }
