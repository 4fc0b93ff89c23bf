"""The hands and the status of every delivery on a day, for lists and stories of some thousands of units (design 4.2)."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winay.engine import kernel
from winay.engine import plan as code
from winay.engine.compiled import jit
from winay.engine.kernel import BEFORE, FAR, Ages, Case, Days, binds, origin_of, reach, route_on
from winay.engine.plan import BY, DUE, FROM, NO_DAY, NONE, UNTIL, VALID, Arrays, Plan

STATUSES = ("exempt", "not_owed", "on_time", "late", "missed", "overdue", "waiting", "not_due", "due")
EXEMPT, NOT_OWED, ON_TIME, LATE, MISSED, OVERDUE, WAITING, NOT_DUE, DUE_NOW = range(9)
HIDDEN = -1
"""Deliveries of a route that does not hold."""


def statuses(
    plan: Plan,
    births: Days,
    anchors: Days,
    offsets: NDArray[np.int64],
    services: NDArray[np.int16],
    days: Days,
    on: Days,
    fits: NDArray[np.bool_] | None = None,
    applies: NDArray[np.bool_] | None = None,
    subjects: NDArray[np.int32] | None = None,
) -> pa.Table:
    """One row a unit and delivery of the route that holds on the unit's day `on`.

    subject, standard, delivery, service, status; received, valid, from, due, by, until: dates, null where there is none.
    applies: [unit, track], inside the standard's `who` (exempt otherwise); subjects: the number shown of each unit. The
    other arguments are those of `kernel.receive`.
    """
    received = kernel.receive(plan, births, anchors, offsets, services, days, on, fits)
    hands = np.full((len(births), plan.deliveries, 5), FAR, np.int32)
    status = np.full((len(births), plan.deliveries), HIDDEN, np.int8)
    everyone = kernel.ALL_FIT if fits is None else fits
    hands_block(
        plan.arrays, births, everyone, kernel.ALL_FIT if applies is None else applies, offsets, services, days, on, *received,
        hands, status,
    )  # fmt: skip
    unit, delivery = np.nonzero(status != HIDDEN)
    day = received.received[unit, delivery]
    told = status[unit, delivery]
    counted = np.where((day == NONE) | (told == EXEMPT), FAR, births[unit] + day)
    numbers = np.arange(len(births), dtype=np.int32) if subjects is None else subjects
    tracks = [track for track in plan.tracks for _ in track.route.deliveries]
    columns = {
        "subject": pa.array(numbers[unit]),
        "standard": pa.array([track.name for track in tracks], pa.string()).take(pa.array(delivery)),
        "delivery": pa.array([d.number for d in plan.in_order], pa.int16()).take(pa.array(delivery)),
        "service": pa.array([d.service for d in plan.in_order], pa.string()).take(pa.array(delivery)),
        "status": pa.array(STATUSES).take(pa.array(told)),
        "received": _dates(counted),
    }
    return pa.table(columns | {name.strip("_"): _dates(hands[unit, delivery, h]) for h, name in enumerate(code.HANDS)})


def _dates(days: Days) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=days >= FAR).cast(pa.date32())


@jit
def hands_block(
    p: Arrays, births: Days, fits: Any, applies: Any, offsets: Any, services: Any, days: Days, on: Days, received: Ages,
    released: Ages, anchors: Days, hands: Any, status: Any,
) -> None:  # fmt: skip
    """Fills `hands` [unit, delivery, hand], FAR where there is none, and `status` [unit, delivery]."""
    records = np.empty((p.services + 1, 2), np.int64)
    ends = np.empty((2, kernel.most_records(offsets)), np.int32)
    origins = np.empty((2, len(p.gap)), np.int32)
    everyone = np.empty(0, np.bool_)
    for unit in range(len(births)):
        kernel.slices(offsets[unit], offsets[unit + 1], services, days, on[unit], records)
        fit = fits[unit] if len(fits) else everyone
        case = Case(births[unit], on[unit], days, records, fit, anchors[unit], received[unit])
        for track in range(len(p.track) - 1):
            first, held = p.track[track, code.FIRST_TRACK], route_on(p, p.track[track, code.FIRST_TRACK], case)
            inside = held >= 0 and anchors[unit, track] != NO_DAY and (len(applies) == 0 or applies[unit, track])
            if not inside and track == first:
                status[unit, p.track[track, code.START] : p.track[track + 1, code.START]] = EXEMPT
            elif inside and track == held:
                _track(p, track, case, released[unit], ends, origins, hands[unit], status[unit])


@jit
def _track(p: Arrays, track: int, case: Case, released: Ages, ends: Any, origins: Any, hands: Any, status: Any) -> None:
    """One route of one unit; origins: scratch, where each gap starts for all hands but `until`, and for `until`."""
    anchor, begin = case.anchors[track], p.track[track, code.START]
    chain = p.track[track, code.KIND] == code.CHAIN
    last, count = BEFORE, -1
    behind, lost = False, False
    for d in range(begin, p.track[track + 1, code.START]):
        day = FAR if case.received[d] == NONE else case.birth + case.received[d]
        waits = False
        if chain:
            before, now = ends[(d - begin + 1) % 2], ends[(d - begin) % 2]
            origins[0, :] = before[0] if count > 0 else BEFORE
            origins[1, :] = before[count - 1] if count > 0 else BEFORE
            count = kernel.chain_ends(p, d, anchor, case, before, count, now)
        else:
            waits = _origins(p, d, day, last, case, origins)
        _hands(p, d, anchor, day, case, origins, hands[d])
        column = p.delivery[d, code.RELEASED_IN]
        release = FAR if column < 0 or released[column] == NONE else case.birth + released[column]
        status[d] = _status(case.on, day, hands[d], release, waits, behind, lost)
        if day != FAR:
            last = day
        if (chain or p.track[track, code.IN_SEQUENCE]) and status[d] != NOT_OWED:
            behind, lost = day == FAR, status[d] == MISSED


@jit
def _origins(p: Arrays, d: int, day: int, last: int, case: Case, origins: Any) -> bool:
    """Where the gaps of a delivery start; True when one starts at what was not received: then only records bound it."""
    begin, end = p.delivery[d, code.GAPS], p.delivery[d + 1, code.GAPS]
    waits = False
    for gap in range(begin, end):
        origins[:, gap] = origin_of(p, gap, d, case.on + 1 if day == FAR else day, last, case)
        waits = waits or origins[0, gap] == FAR
    for gap in range(begin, end):
        if waits and p.gap[gap, code.SINCE] >= code.OWN:
            origins[:, gap] = BEFORE
    return waits


@jit
def _hands(p: Arrays, d: int, anchor: int, day: int, case: Case, origins: Any, hands: Any) -> None:
    """The five hands across clocks: for a received delivery those that bind its day, else those to plan by."""
    end = case.birth
    for hand in range(5):
        hands[hand] = reach(p, p.delivery[d, code.AGE_CLOCK], hand, anchor, end)
    if day == FAR:
        hands[VALID] = _earliest_day(p, d, VALID, hands[VALID], anchor, end, origins[0])
        hands[FROM] = _earliest_day(p, d, FROM, hands[FROM], anchor, end, origins[0])
    judged = hands[FROM] if day == FAR else day
    due, by = BEFORE, BEFORE
    for gap in range(p.delivery[d, code.GAPS], p.delivery[d + 1, code.GAPS]):
        origin = origins[0, gap]
        if origin == BEFORE or not binds(p, gap, anchor, judged, end):
            continue
        clock = p.gap[gap, code.GAP_CLOCK]
        if day != FAR:
            hands[VALID] = max(hands[VALID], reach(p, clock, VALID, origin, end))
            hands[FROM] = max(hands[FROM], reach(p, clock, FROM, origin, end))
        hands[UNTIL] = min(hands[UNTIL], reach(p, clock, UNTIL, origins[1, gap], end))
        due = _later(due, reach(p, clock, DUE, origin, end))
        by = _later(by, reach(p, clock, BY, origin, end))
    if hands[DUE] == FAR:
        hands[DUE] = hands[FROM] if due == BEFORE else due
    if hands[BY] == FAR and by != BEFORE:
        hands[BY] = by


@jit
def _later(one: int, other: int) -> int:
    return one if other == FAR else max(one, other)


@jit
def _earliest_day(p: Arrays, d: int, hand: int, day: int, anchor: int, end: int, origins: Any) -> int:
    """The earliest day from `day` on that no gap binding it forbids: at each step past all that forbid it."""
    while True:
        following = day
        for gap in range(p.delivery[d, code.GAPS], p.delivery[d + 1, code.GAPS]):
            if origins[gap] == BEFORE or not binds(p, gap, anchor, day, end):
                continue
            opens = reach(p, p.gap[gap, code.GAP_CLOCK], hand, origins[gap], end)
            if opens > day:
                ages = p.gap[gap, code.AGES]
                outside = FAR if ages < 0 else reach(p, ages, UNTIL, anchor, end) + 1
                following = max(following, min(opens, outside))
        if following == day:
            return int(day)
        day = following


@jit
def _status(on: int, day: int, hands: Any, release: int, waits: bool, behind: bool, lost: bool) -> int:
    """Read in this order. behind, lost: in a sequence, the owed delivery before is not received, and never will be."""
    if day != FAR:
        return ON_TIME if day <= hands[BY] else LATE
    if release <= max(on, hands[FROM]):
        return NOT_OWED
    if on > hands[UNTIL] or lost:
        return MISSED
    if on > hands[BY]:
        return OVERDUE
    if waits or behind:
        return WAITING
    return NOT_DUE if on < hands[FROM] else DUE_NOW
