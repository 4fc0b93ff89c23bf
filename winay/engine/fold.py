"""What was received, folded into month masks: up to date, received, on time (design 4.2 and 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import MonthEnd
from winay.engine.compiled import jit
from winay.engine.hands import statuses
from winay.engine.judging import FAR, Calendar, Days, JudgingDay, Mask, When
from winay.engine.kernel import Received, receive
from winay.engine.masks import before, between
from winay.engine.plan import AT_END, NO_DAY, NO_LIMIT, NONE, Plan, one_route, starts_at
from winay.engine.units import Units, anchors_of

UP_TO_DATE, RECEIVED, ON_TIME = range(3)
Ages = NDArray[np.int16]
ALWAYS_OWED = np.empty((0, 0), np.int16)


class Fold(NamedTuple):
    """A mask that comes from what was received: of a whole standard (`delivery` 0) or of one delivery."""

    how: int
    standard: str
    delivery: int = 0


@jit
def fold(
    how: int, received: Ages, released: Ages, births: Days, anchors: Days, by: Ages, first: int, when: When
) -> Mask:
    """One mask a unit: the judging days on which the deliveries hold in the sense of `how`.

    received: [unit, delivery], days from birth, NONE. released: the same, from when a delivery is not owed; empty where
    all are. by: [anchor day - first, delivery], days from the anchor. A delivery stands against *up to date* after `by`,
    before it is received or released. Without an anchor nothing is owed: up to date holds, received and on time do not.
    """
    units, deliveries = received.shape
    result = np.empty(units, np.int32)
    for i in range(units):
        if anchors[i] == NO_DAY:
            result[i] = when.every if how == UP_TO_DATE else 0
            continue
        fails = 0
        for k in range(deliveries):
            limit = by[anchors[i] - first, k]
            due = FAR if limit == NO_LIMIT else births[i] if limit == AT_END else anchors[i] + limit
            done = FAR if received[i, k] == NONE else births[i] + received[i, k]
            free = FAR if released.size == 0 or released[i, k] == NONE else births[i] + released[i, k]
            settled = min(done, free)
            if how == ON_TIME and done < FAR and done > due:
                settled = FAR
            start = due + 1 if how == UP_TO_DATE else -FAR
            if start < settled:
                fails |= before(when, i, settled) & ~before(when, i, start)
        result[i] = when.every & ~fails
    return result


@dataclass(frozen=True)
class Judge:
    """Folds what a block of units received into masks for one judging day."""

    plan: Plan
    calendar: Calendar
    judged: JudgingDay
    month_end: MonthEnd
    folds: Sequence[Fold]

    def when(self, units: Units) -> When:
        return self.judged.when(units.births, self.calendar, self.month_end)

    def masks(self, units: Units, anchors: Days, got: Received) -> dict[Fold, Mask]:
        when = self.when(units)
        result = {f: self._fold(f, units, got, when) for f in self.folds if self._from_one_pass(f)}
        by_day = [f for f in self.folds if f not in result]
        return result | (self._by_day(by_day, units, anchors, when) if by_day else {})

    def _from_one_pass(self, wanted: Fold) -> bool:
        """Whether one evaluation serves all days, and `by` can be read from the plan alone."""
        track = self.plan.standards[wanted.standard][0]
        released = any(d.releases and d.gaps for d in track.route.deliveries)
        by_from_gap = self.plan.by_from_gap[track.deliveries].any()
        return one_route(track.schedule) and track.stable and not released and not by_from_gap

    def _fold(self, wanted: Fold, units: Units, got: Received, when: When) -> Mask:
        track = self.plan.standards[wanted.standard][0]
        columns = track.deliveries
        if wanted.delivery:
            columns = slice(columns.start + wanted.delivery - 1, columns.start + wanted.delivery)
        numbers, released = self.plan.released_in[columns], ALWAYS_OWED
        if (numbers >= 0).any():  # -1: the column of never, put last
            released = np.pad(got.released, ((0, 0), (0, 1)), constant_values=NONE)[:, numbers]
        anchors = got.anchors[:, track.number]
        mask: Mask = fold(
            wanted.how, got.received[:, columns], released, units.births, anchors, self.plan.by[:, columns],
            self.plan.first_day, when,
        )  # fmt: skip
        if starts_at(track.schedule.anchor) is None:
            return mask
        # before the day that a standard starts at was known to come, it asks for nothing and gives nothing
        starts = np.where(anchors == NO_DAY, FAR, anchors).astype(np.int32)
        begun = between(starts, np.full_like(starts, FAR), np.arange(len(units)), when)
        begun_mask: Mask = mask | begun ^ when.every if wanted.how == UP_TO_DATE else mask & begun
        return begun_mask

    def _by_day(self, folds: Sequence[Fold], units: Units, anchors: Days, when: When) -> dict[Fold, Mask]:
        """The same from the status of every delivery, evaluated for each judging day on the records up to it."""
        own = self.judged.kind != "months"
        days = [when.own] if own else [np.full(len(units), day, np.int32) for day in self.calendar.days]
        result = {f: np.zeros(len(units), np.int32) for f in folds}
        for month, day in enumerate(days):
            rows = statuses(
                self.plan, units.births, anchors, units.offsets, units.services, units.days, day, units.fits
            )
            for f in folds:
                result[f] |= np.where(_holds(f, rows, day), when.every if own else 1 << month, 0).astype(np.int32)
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


def masks(units: Units, plan: Plan, judges: Sequence[Judge]) -> list[dict[Fold, Mask]]:
    """The masks of a block of units, evaluated once for all judges."""
    anchors = anchors_of(plan, units)
    got = receive(plan, units.births, anchors, units.offsets, units.services, units.days, None, units.fits)
    return [judge.masks(units, anchors, got) for judge in judges]
