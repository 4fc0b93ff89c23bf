"""What was received, folded into month masks: up to date, received, on time (design 4.2 and 4.3)."""

import numpy as np
from numpy.typing import NDArray

from winay.engine.compiled import jit
from winay.engine.judging import FAR, Days, Mask
from winay.engine.plan import AT_END, NO_DAY, NO_LIMIT, NONE

UP_TO_DATE, RECEIVED, ON_TIME = range(3)
Ages = NDArray[np.int16]


@jit
def fold(
    how: int,
    received: Ages,
    released: Ages,
    births: Days,
    anchors: Days,
    by: Ages,
    first_day: int,
    own: Days,
    before: Mask,
    first: int,
    every: int,
) -> Mask:
    """One mask a unit: the judging days on which the deliveries hold in the sense of `how`.

    received: [unit, delivery], days from birth, NONE. released: the same, from when a delivery is not owed; empty where
    all are. by: [anchor day - first_day, delivery], days from the anchor. own: each unit's judging day; empty for the
    calendar's (`before`, `first`). A delivery stands against *up to date* after `by`, before it is received or released.
    Without an anchor nothing is owed: up to date holds, received and on time do not.
    """
    units, deliveries = received.shape
    result = np.empty(units, np.int32)
    last = len(before) - 1
    for i in range(units):
        if anchors[i] == NO_DAY:
            result[i] = every if how == UP_TO_DATE else 0
            continue
        fails = 0
        for k in range(deliveries):
            limit = by[anchors[i] - first_day, k]
            due = FAR if limit == NO_LIMIT else births[i] if limit == AT_END else anchors[i] + limit
            done = FAR if received[i, k] == NONE else births[i] + received[i, k]
            free = FAR if released.size == 0 or released[i, k] == NONE else births[i] + released[i, k]
            settled = min(done, free)
            if how == ON_TIME and done < FAR and done > due:
                settled = FAR
            start = due + 1 if how == UP_TO_DATE else -FAR
            if start >= settled:
                continue
            if own.size:
                if start <= own[i] < settled:
                    fails = every
                    break
            else:
                upper = before[min(max(settled - first, 0), last)]
                fails |= upper & ~before[min(max(start - first, 0), last)]
        result[i] = every & ~fails
    return result


@jit
def spell_masks(starts: Days, ends: Days, own: Days, before: Mask, first: int, every: int) -> Mask:
    """One mask a spell: the judging days in [start, end). `own`, `before`, `first` as in `fold`."""
    last = len(before) - 1
    result = np.empty(len(starts), np.int32)
    for i in range(len(starts)):
        if own.size:
            result[i] = every if starts[i] <= own[i] < ends[i] else 0
        else:
            upper = before[min(max(ends[i] - first, 0), last)]
            result[i] = upper & ~before[min(max(starts[i] - first, 0), last)]
    return result
