"""The recurrence of design 4.2 for a block of units: sorted records in, the day of receipt of every delivery out.

Days are int32 since 1970-01-01; `received` and `released` are int16 days from the unit's birth, or NONE.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from winay.engine import plan as code
from winay.engine.compiled import jit
from winay.engine.plan import FARTHEST, NO_DAY, NONE, UNTIL, VALID, Arrays, Plan

Days = NDArray[np.int32]
Ages = NDArray[np.int16]
FAR = 2**30
"""A day that never comes."""
BEFORE = -FAR
NO_CUT = np.empty(0, np.int32)
ALL_FIT = np.empty((0, 0), np.bool_)


class Case(NamedTuple):
    """One unit while it is evaluated. The records of service s up to day `on` are days[records[s, 0] : records[s, 1]]."""

    birth: int
    on: int
    days: Days
    records: NDArray[np.int64]
    fits: NDArray[np.bool_]
    """[track], or empty: all fit."""
    anchors: Days
    """[track]; those that start at a delivery are filled in as the tracks are evaluated."""
    received: Ages


class Received(NamedTuple):
    """received: [unit, delivery]. released: [unit, column], from when a delivery that can be released is not owed.

    anchors: [unit, track], those that start at a delivery filled in.
    """

    received: Ages
    released: Ages
    anchors: Days


def receive(
    plan: Plan,
    births: Days,
    anchors: Days,
    offsets: NDArray[np.int64],
    services: NDArray[np.int16],
    days: Days,
    cut: Days | None = None,
    fits: NDArray[np.bool_] | None = None,
) -> Received:
    """What each unit received.

    anchors: [unit, track], NO_DAY where the unit has none; tracks that start at a delivery are found here.
    offsets: [unit + 1] into services and days, sorted by service and day within a unit, repeated or not.
    cut: records after this day of the unit are not seen. fits: [unit, track], the `who` of variants.
    Raises ValueError when a birth, an anchor or a record lies outside the plan's days.
    """
    inside = all(not len(x) or plan.first_day <= x.min() <= x.max() <= plan.last_day for x in (births, days))
    received = np.full((len(births), plan.deliveries), NONE, np.int16)
    released = np.full((len(births), plan.released_in.max(initial=-1) + 1), NONE, np.int16)
    out = Received(received, released, np.array(anchors, np.int32))
    given = (births, ALL_FIT if fits is None else fits, offsets, services, days, NO_CUT if cut is None else cut)
    if not inside or not receive_block(plan.arrays, *map(read_only, given), *out):
        raise ValueError("a birth, an anchor or a record lies outside the days of the plan")
    return out


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written to: what Arrow hands out, so that there is one signature to compile for."""
    view = array.view()
    view.flags.writeable = False
    return view


def compiled() -> bool:
    """Whether the kernel is ready in this process or in numba's cache on the disk, so that no one waits."""
    index = receive_block._cache._cache_file
    return bool(receive_block.signatures) or bool(index._load_index())


def warm_up(plan: Plan) -> None:
    """Compile for the one signature there is (a quarter of a minute the first time on a machine)."""
    none = np.empty(0, np.int32)
    receive(plan, none, np.empty((0, len(plan.tracks)), np.int32), np.zeros(1, np.int64), np.empty(0, np.int16), none)


@jit
def receive_block(
    p: Arrays, births: Days, fits: Any, offsets: Any, services: Any, days: Days, cut: Days, received: Ages,
    released: Ages, anchors: Days,
) -> bool:  # fmt: skip
    """Fills `received`, `released` and the anchors that start at a delivery; False when an anchor is outside the plan."""
    records = np.empty((p.services + 1, 2), np.int64)
    ends = np.empty((2, most_records(offsets)), np.int32)
    everyone = np.empty(0, np.bool_)
    for unit in range(len(births)):
        on = cut[unit] if len(cut) else FAR
        slices(offsets[unit], offsets[unit + 1], services, days, on, records)
        fit = fits[unit] if len(fits) else everyone
        case = Case(births[unit], on, days, records, fit, anchors[unit], received[unit])
        for track in range(len(p.track) - 1):
            if p.track[track, code.ANCHOR] >= 0:
                case.anchors[track] = anchor_of(p, track, case)
            anchor = case.anchors[track]
            if anchor == NO_DAY:
                continue
            row = anchor - p.first_day
            if row < 0 or row >= len(p.hands):
                return False
            if p.track[track, code.KIND] == code.PLAIN:
                begin, end = p.track[track, code.START], p.track[track + 1, code.START]
                service = p.delivery[begin, code.SERVICE]
                _plain(
                    p.first_day, p.hands, p.delivery, begin, end, p.track[track, code.IN_SEQUENCE] != 0, anchor,
                    births[unit], days, records[service, 0], records[service, 1], received[unit],
                )  # fmt: skip
            elif p.track[track, code.KIND] == code.CHAIN:
                _chain(p, track, anchor, case, ends)
            else:
                _earliest(p, track, anchor, case, released[unit])
    return True


@jit
def most_records(offsets: Any) -> int:
    most = 0
    for unit in range(len(offsets) - 1):
        most = max(most, offsets[unit + 1] - offsets[unit])
    return most


@jit
def slices(start: int, stop: int, services: Any, days: Days, on: int, records: Any) -> None:
    """Where the records of each service up to day `on` begin and end; the last row is for what nothing proves."""
    record = start
    for service in range(len(records) - 1):
        while record < stop and services[record] < service:
            record += 1
        records[service, 0] = record
        while record < stop and services[record] == service:
            record += 1
        last = record
        while last > records[service, 0] and days[last - 1] > on:
            last -= 1
        records[service, 1] = last
    records[-1] = stop


@jit
def _plain(
    first_day: int, hands: Any, delivery: Any, begin: int, end: int, in_sequence: bool, anchor: int, birth: int, days: Days,
    start: int, stop: int, received: Ages,
) -> None:  # fmt: skip
    """Earliest, one service, age clocks and at most one `since: counted` gap each: nearly every standard.

    No limit is a plan's whole span and more, so it needs no test here.
    """
    while start < stop and days[start] < anchor:
        start += 1
    last = BEFORE
    for d in range(begin, end):
        if start >= stop:
            break
        clock, gap = delivery[d, code.AGE_CLOCK], delivery[d, code.ONLY_GAP]
        first = max(anchor + hands[anchor - first_day, clock, VALID], last + 1)
        final = anchor + hands[anchor - first_day, clock, UNTIL]
        if gap >= 0 and last > BEFORE:
            first = max(first, last + hands[last - first_day, gap, VALID])
            final = min(final, last + hands[last - first_day, gap, UNTIL])
        i = start
        while i < stop and days[i] < first:
            i += 1
        if i < stop and days[i] <= final:
            last = days[i]
            start = i + 1
            received[d] = last - birth
        elif in_sequence:
            break


@jit
def reach(p: Arrays, clock: int, hand: int, origin: int, end: int) -> int:
    """The day a hand points at, from its origin; FAR without a limit. The origin lies inside the plan's days."""
    value = p.hands[origin - p.first_day, clock, hand]
    if value == code.NO_LIMIT:
        return FAR
    return end if value == code.AT_END else origin + value


@jit
def allows(p: Arrays, clock: int, origin: int, day: int, end: int) -> bool:
    return bool(reach(p, clock, VALID, origin, end) <= day <= reach(p, clock, UNTIL, origin, end))


@jit
def binds(p: Arrays, gap: int, anchor: int, day: int, end: int) -> bool:
    """Whether a gap binds a record of that day: the record's own age lies in the gap's range."""
    return bool(p.gap[gap, code.AGES] < 0 or allows(p, p.gap[gap, code.AGES], anchor, day, end))


@jit
def _chain(p: Arrays, track: int, anchor: int, case: Case, ends: Any) -> None:
    """received[k]: the earliest day on which a valid chain of k records ends."""
    begin = p.track[track, code.START]
    count = -1
    for d in range(begin, p.track[track + 1, code.START]):
        count = chain_ends(p, d, anchor, case, ends[(d - begin + 1) % 2], count, ends[(d - begin) % 2])
        if count == 0:
            break
        case.received[d] = ends[(d - begin) % 2, 0] - case.birth


@jit
def chain_ends(p: Arrays, d: int, anchor: int, case: Case, before: Days, count: int, now: Days) -> int:
    """Fills `now` with the days on which a valid chain ends with delivery d; `before`: those of the one before it.

    count: how many days `before` has, -1 for the first delivery. Returns how many were found.
    """
    found = 0
    service = p.delivery[d, code.SERVICE]
    for i in range(case.records[service, 0], case.records[service, 1]):
        day = case.days[i]
        if day < anchor or (found and now[found - 1] == day):
            continue
        if not allows(p, p.delivery[d, code.AGE_CLOCK], anchor, day, case.birth):
            continue
        follows = count < 0
        for e in range(count):
            if follows or before[e] >= day:
                break
            follows = True
            for gap in range(p.delivery[d, code.GAPS], p.delivery[d + 1, code.GAPS]):
                bound = binds(p, gap, anchor, day, case.birth)
                if bound and not allows(p, p.gap[gap, code.GAP_CLOCK], before[e], day, case.birth):
                    follows = False
                    break
        if follows:
            now[found] = day
            found += 1
    return found


@jit
def _earliest(p: Arrays, track: int, anchor: int, case: Case, released: Ages) -> None:
    """Delivery by delivery, the earliest record that every clock allows; any gaps, releases and services."""
    last = open_from = BEFORE
    for d in range(p.track[track, code.START], p.track[track + 1, code.START]):
        limit = release_day(p, d, track, anchor, case)
        if p.delivery[d, code.RELEASED_IN] >= 0 and limit < FAR:
            released[p.delivery[d, code.RELEASED_IN]] = min(limit - case.birth, FARTHEST)
        service = p.delivery[d, code.SERVICE]
        for i in range(case.records[service, 0], case.records[service, 1]):
            day = case.days[i]
            if day >= limit:
                break
            if day >= anchor and day > last and day >= open_from and _takes(p, d, day, last, anchor, case):
                last = day
                case.received[d] = day - case.birth
                break
        if p.track[track, code.IN_SEQUENCE] and case.received[d] == NONE:
            open_from = max(open_from, limit)


@jit
def _takes(p: Arrays, d: int, day: int, last: int, anchor: int, case: Case) -> bool:
    if not allows(p, p.delivery[d, code.AGE_CLOCK], anchor, day, case.birth):
        return False
    for gap in range(p.delivery[d, code.GAPS], p.delivery[d + 1, code.GAPS]):
        origin = origin_of(p, gap, d, day, last, case)
        if origin == FAR:
            return False
        bound = origin != BEFORE and binds(p, gap, anchor, day, case.birth)
        if bound and not allows(p, p.gap[gap, code.GAP_CLOCK], origin, day, case.birth):
            return False
    return True


@jit
def origin_of(p: Arrays, gap: int, d: int, day: int, last: int, case: Case) -> int:
    """The day a gap starts, for a record of `day`; BEFORE: it bounds nothing, FAR: what it follows is missing."""
    kind, track, number = p.gap[gap, code.SINCE], p.gap[gap, code.SINCE_TRACK], p.gap[gap, code.SINCE_NUMBER]
    if kind == code.COUNTED:
        return last
    if kind == code.PREVIOUS:
        service = p.delivery[d, code.SERVICE]
        before = BEFORE
        for i in range(case.records[service, 0], case.records[service, 1]):
            if case.days[i] >= day:
                break
            before = case.days[i]
        return before
    return int(received_on(p, track if kind == code.OWN else route_on(p, track, case), number, case))


@jit
def received_on(p: Arrays, track: int, number: int, case: Case) -> int:
    """The day a numbered delivery was received; FAR: not, or the route does not have it."""
    if track < 0 or p.track[track, code.START] + number > p.track[track + 1, code.START]:
        return FAR
    received = case.received[p.track[track, code.START] + number - 1]
    return FAR if received == NONE else case.birth + received


@jit
def release_day(p: Arrays, d: int, track: int, anchor: int, case: Case) -> int:
    """The day from which delivery d is not owed, by what its track received before it; FAR while it is owed."""
    result = FAR
    for r in range(p.delivery[d, code.RELEASES], p.delivery[d + 1, code.RELEASES]):
        kind, value, since = p.release[r, 0], p.release[r, 1], p.release[r, 2]
        if kind == code.BY_AGE:
            day = reach(p, value, VALID, anchor, case.birth)
        elif kind == code.BY_RECEIVED:
            day = _counted(p.track[track, code.START], d, value, reach(p, since, VALID, anchor, case.birth), case)
        else:
            other = route_on(p, value, case)
            day = (
                FAR
                if other < 0
                else _counted(p.track[other, code.START], p.track[other + 1, code.START], 1, BEFORE, case)
            )
        result = min(result, day)
    return int(result)


@jit
def _counted(begin: int, end: int, number: int, since: int, case: Case) -> int:
    """The day of the n-th record that some deliveries of one track received from a day on; they are on increasing days."""
    for d in range(begin, end):
        if case.received[d] != NONE and case.birth + case.received[d] >= since:
            number -= 1
            if number == 0:
                return int(case.birth + case.received[d])
    return FAR


@jit
def anchor_of(p: Arrays, track: int, case: Case) -> int:
    """The day of the delivery that the track's ages are counted from; NO_DAY without one."""
    other, number = p.track[track, code.ANCHOR], p.track[track, code.ANCHOR_NUMBER]
    day = received_on(p, route_on(p, other, case), number, case)
    return int(NO_DAY) if day == FAR else day


@jit
def route_on(p: Arrays, first: int, case: Case) -> int:
    """The track of the first route that fits, for the standard whose first track is `first`; -1: none does.

    While there is no record, the age on the judging day decides: the cut, else the plan's last day.
    """
    routes, anchor = p.track[first, code.ROUTES], case.anchors[first]
    if routes == 0:
        return first
    if anchor == NO_DAY:
        return -1
    for track in range(first, first + routes):
        if len(case.fits) and not case.fits[track]:
            continue
        kind, what = p.track[track, code.FITS], p.track[track, code.FITS_WHAT]
        day = _first_day(p.delivery[p.track[track, code.START], code.SERVICE], anchor, case)
        judged = min(case.on, p.first_day + len(p.hands) - 1) if day == FAR else day
        if kind == code.FIRST_AGE and not allows(p, what, anchor, judged, case.birth):
            continue
        if kind == code.FIRST_SERVICE and (day == FAR or _first_day(what, day, case) != day):
            continue
        return track
    return -1


@jit
def _first_day(service: int, since: int, case: Case) -> int:
    """The first record of a service from a day on; FAR without one."""
    for i in range(case.records[service, 0], case.records[service, 1]):
        if case.days[i] >= since:
            return int(case.days[i])
    return FAR
