"""Where each record of a delimited text starts and ends, counted in one pass over its bytes.

The states are those of RFC 4180: a quote opens only at the start of a cell, two quotes inside are one. A record that is
not whole is named, and costs nothing but itself: a stray quote never swallows the lines below it.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

FINE, FIELDS, NUL, RETURN, QUOTE, CELL = range(6)
"""What is wrong with a record: number of cells, a NUL byte, a lone carriage return, an open quote, too long a cell."""


@numba.njit(cache=True, nogil=True)
def _scan(
    text: Any, delimiter: int, expected: int, longest: int, final: bool,
    starts: Any, ends: Any, lines: Any, cells: Any, wrong: Any,
) -> Any:  # fmt: skip
    n, count, line = len(text), 0, 0
    start = at = cell = 0  # of the record, of the reading, of the current cell
    fields, verdict, breaks, first_break = 1, 0, 0, 0
    quoted = False
    while True:
        done = at >= n
        if done and (not final or start >= n):
            break
        byte = 10 if done else text[at]
        if quoted and not done and at - cell <= longest:
            if byte == 34:
                if at + 1 < n and text[at + 1] == 34:
                    at += 1
                else:
                    quoted = False
            elif byte == 10:
                if breaks == 0:
                    first_break = at
                breaks += 1
            elif byte == 0:
                verdict = 2
            at += 1
            continue
        if quoted:  # never closed, or too long to be one cell: only the first line is at fault
            verdict = 4
            if breaks:
                at = first_break
            else:
                while at < n and text[at] != 10:
                    at += 1
                if at >= n and not final:
                    break
            breaks = 0
            quoted = False
            continue
        if byte == 34 and at == cell and verdict != 4:
            quoted = True
        elif byte == delimiter:
            if at - cell > longest and verdict == 0:
                verdict = 5
            fields += 1
            cell = at + 1
        elif byte == 10:
            end = at
            if end > start and text[end - 1] == 13:
                end -= 1
            if end - cell > longest and verdict == 0:
                verdict = 5
            if end > start:
                if fields != expected and verdict == 0:
                    verdict = 1
                    if breaks:  # the quotes paired by accident: begin again on the line below
                        at = first_break
                        end = at - 1 if text[at - 1] == 13 else at
                        breaks = 0
                starts[count], ends[count], lines[count], cells[count], wrong[count] = start, end, line, fields, verdict
                count += 1
            line += 1 + breaks
            start = cell = at + 1
            fields, verdict, breaks = 1, 0, 0
        elif byte == 0:
            verdict = 2
        elif byte == 13 and at + 1 < n and text[at + 1] != 10 and verdict == 0:
            verdict = 3
        at += 1
    return count, min(start, n), line


@numba.njit(cache=True, nogil=True)
def _gather(text: Any, starts: Any, ends: Any, out: Any) -> int:
    to = 0
    for i in range(len(starts)):
        size = ends[i] - starts[i]
        out[to : to + size] = text[starts[i] : ends[i]]
        out[to + size] = 10
        to += size + 1
    return to


class Records:
    """The whole records of one block of bytes, blank lines left out.

    starts, ends: byte positions; lines: physical line of each start, counted from 0 in this block; cells: how many it
    has; wrong: FINE or what is wrong; used: bytes read; breaks: line ends read; cut: the last line has no end.
    """

    def __init__(self, block: bytes, delimiter: str, expected: int, longest: int, final: bool) -> None:
        self.text = np.frombuffer(block, np.uint8)
        most = int(np.count_nonzero(self.text == 10)) + 1
        self.starts, self.ends = np.empty(most, np.int64), np.empty(most, np.int64)
        self.lines, self.cells = np.empty(most, np.int32), np.empty(most, np.int32)
        self.wrong = np.empty(most, np.uint8)
        self.cut = final and not block.endswith(b"\n")
        arrays = ("starts", "ends", "lines", "cells", "wrong")
        room = [getattr(self, name) for name in arrays]
        count, self.used, self.breaks = _scan(self.text, ord(delimiter), expected, longest, final, *room)
        for name in arrays:
            setattr(self, name, getattr(self, name)[:count])

    def good(self) -> NDArray[np.uint8]:
        """The bytes of the records that are whole, one a line."""
        keep = self.wrong == FINE
        starts, ends = self.starts[keep], self.ends[keep]
        out = np.empty(int((ends - starts).sum()) + len(starts), np.uint8)
        _gather(self.text, starts, ends, out)
        return out

    def raw(self, index: int) -> bytes:
        return self.text[self.starts[index] : self.ends[index]].tobytes()
