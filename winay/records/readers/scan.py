"""Where each record and each cell of a delimited text stands, found in one pass over its bytes.

As in RFC 4180, a quote opens only at the start of a cell, and two quotes inside are one. A record that is not whole is
named, and costs nothing but itself: a stray quote never swallows the lines below it.
"""

from typing import Any

import numba
import numpy as np

FINE, FIELDS, NUL, RETURN, QUOTE, CELL = range(6)
"""What is wrong with a record: number of cells, a NUL byte, a lone carriage return, an open quote, too long a cell."""
_LINE_FEED, _CARRIAGE_RETURN, _MARK = 10, 13, 34


@numba.njit(cache=True, nogil=True)
def _record(text: Any, start: int, delimiter: int, longest: int, quotes: bool, stops: Any) -> Any:
    """The record that starts there: (its end, cells, line breaks inside, what is wrong). stops: the end of each cell."""
    cell, cells, breaks, wrong = start, 0, 0, FINE
    quoted, closed = False, -1  # closed: the last quote that ended a cell or, as it turns out, the first of two
    for at in range(start, len(text) + 1):
        byte = text[at] if at < len(text) else _LINE_FEED
        if quoted and (at == len(text) or at - cell > longest):
            return at, cells + 1, breaks, QUOTE
        if byte == 0:
            wrong = NUL
        if byte == _MARK and quotes and (quoted or at == cell or closed == at - 1):
            quoted, closed = not quoted, at
        elif quoted:
            breaks += byte == _LINE_FEED
        elif byte in (delimiter, _LINE_FEED):
            end = at - 1 if byte == _LINE_FEED and at > start and text[at - 1] == _CARRIAGE_RETURN else at
            if end - cell > longest and wrong == FINE:
                wrong = CELL
            if cells < len(stops):
                stops[cells] = end
            cells += 1
            if byte == _LINE_FEED:
                return at, cells, breaks, wrong
            cell = at + 1
        elif byte == _CARRIAGE_RETURN and at + 1 < len(text) and text[at + 1] != _LINE_FEED and wrong == FINE:
            wrong = RETURN
    return len(text), cells, breaks, wrong


@numba.njit(cache=True, nogil=True)
def scan(text: Any, delimiter: int, longest: int, final: bool, spans: Any, lines: Any, wrong: Any, stops: Any) -> Any:
    """Fills one entry a record, blank lines left out; returns (records, bytes read, lines read).

    spans: [record, 2] start and end; lines: its line in this text, from 0; wrong: [record, 2] what is wrong, and how
    many cells it has; stops: [record, cell] where each cell ends. Unless `final`, the last line waits for its end.
    """
    count = line = start = 0
    while start < len(text):
        end, cells, breaks, verdict = _record(text, start, delimiter, longest, True, stops[count])
        if verdict == FINE and cells != stops.shape[1]:
            verdict = FIELDS
        if verdict == QUOTE or (verdict == FIELDS and breaks):  # quotes paired by accident: only one line is at fault
            if end == len(text) and not final:
                break
            end, _, breaks, _ = _record(text, start, delimiter, longest, False, stops[count])
        if end == len(text) and not final:
            break
        stop = end - 1 if end > start and text[end - 1] == _CARRIAGE_RETURN else end
        if stop > start:
            spans[count, 0], spans[count, 1], lines[count] = start, stop, line
            wrong[count, 0], wrong[count, 1] = verdict, cells
            count += 1
        line += 1 + breaks
        start = end + 1
    return count, min(start, len(text)), line


@numba.njit(cache=True, nogil=True)
def texts(text: Any, begins: Any, ends: Any) -> Any:
    """(bytes, offsets) of the cells in a row, out of their quotes: two buffers of an Arrow array of text."""
    offsets = np.zeros(len(begins) + 1, np.int32)
    made = np.empty((ends - begins).sum(), np.uint8)
    to = 0
    for i in range(len(begins)):
        quoted = False
        for at in range(begins[i], ends[i]):
            if text[at] == _MARK and text[begins[i]] == _MARK:
                quoted = not quoted
                if not quoted or at == begins[i]:
                    continue
            made[to] = text[at]
            to += 1
        offsets[i + 1] = to
    return made[:to], offsets
