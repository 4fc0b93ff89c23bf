"""Is a cell what its column declares, and what does it say? Judged once a distinct value, never guessed."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.programme.sources import SourceColumn

REASONS = {
    "blank": "it is blank",
    "pattern": "it is not written as declared",
    "unknown_code": "it is not one of the declared codes",
    "not_a_date": "it is not a date of the declared format",
    "too_early": "the day is too early",
    "future": "the day is later than the file's",
    "not_a_number": "it is not a number",
    "out_of_range": "it is outside the plausible range",
    "fields": "the record has another number of cells than the header",
    "cut": "the last line is cut",
    "nul": "the record has a NUL byte",
    "carriage_return": "a carriage return stands inside the record",
    "open_quote": "a quote is opened and not closed",
    "long_cell": "a cell is too long",
}
"""Why a record is refused: code -> what is wrong, for people."""
CODES = ("", *REASONS)
_NUMBERS = {
    "integer": (r"^-?[0-9]{1,15}$", pa.int64()),
    "decimal": (r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$", pa.float64()),
}


def judge(column: SourceColumn, words: Any, known: dt.date) -> tuple[Any, NDArray[np.uint8]]:
    """Distinct cells (pyarrow text) -> (values as declared, null where blank or refused; which of CODES is wrong).

    `known`: no date may lie after this day, unless it is declared that it may.
    """
    words = pc.utf8_trim_whitespace(words)
    blank = pc.equal(words, "")
    values, wrong = words, []
    if column.type == "date":
        values = pc.coalesce(*(days(words, form) for form in column.formats))
        wrong = [("not_a_date", pc.is_null(values)), ("too_early", pc.less(values, column.earliest))]
        wrong += [] if column.future else [("future", pc.greater(values, known))]
    elif column.type in _NUMBERS:
        pattern, kind = _NUMBERS[column.type]
        values = pc.if_else(pc.match_substring_regex(words, pattern), words, pa.scalar(None, pa.string())).cast(kind)
        wrong = [("not_a_number", pc.is_null(values))]
        for bound, beyond in ((column.from_, pc.less), (column.to, pc.greater)):
            wrong += [] if bound is None else [("out_of_range", beyond(values, float(bound)))]
    else:
        if column.pattern:
            wrong = [("pattern", pc.invert(pc.match_substring_regex(words, f"^(?:{column.pattern})$")))]
        if column.values is not None:
            values = pa.array([_said(column, word) for word in words.to_pylist()], pa.string())
            wrong.append(("unknown_code", pc.is_null(values)))
    wrong.insert(0, ("blank" if column.required else "", blank))
    verdict = np.zeros(len(words), np.uint8)
    for reason, holds in reversed(wrong):  # what is named first is told
        verdict[np.asarray(pc.fill_null(holds, False))] = CODES.index(reason)
    return pc.if_else(pc.or_(blank, pa.array(verdict > 0)), pa.scalar(None, values.type), values), verdict


def days(words: Any, form: str) -> Any:
    """The days (date32) of words written exactly in this format; null for others: 31/02 and 2026-3-4 are no dates."""
    moments = pc.strptime(words, format=form, unit="s", error_is_null=True)
    same = pc.equal(pc.strftime(moments, format=form), words)
    return pc.if_else(same, moments.cast(pa.date32()), pa.scalar(None, pa.date32()))


def expected(column: SourceColumn, reason: str, known: dt.date) -> str:
    """What the column's declaration asks for, in no language."""
    if reason == "not_a_date":
        return " | ".join(f"{form} ({dt.date(2026, 3, 14).strftime(form)})" for form in column.formats)
    low, high = ("" if bound is None else bound for bound in (column.from_, column.to))
    return {
        "pattern": column.pattern or "",
        "unknown_code": ", ".join(column.values or {}),
        "too_early": f">= {column.earliest}",
        "future": f"<= {known}",
        "not_a_number": {"integer": "123"}.get(column.type, "12.5"),
        "out_of_range": f"{low} .. {high} {column.unit or ''}".strip(),
    }.get(reason, "")


def _said(column: SourceColumn, word: str) -> str | None:
    """What a code, or a set of codes, says; None when one of them is not declared."""
    assert column.values is not None
    parts = [part.strip() for part in word.split(column.separator)] if column.separator else [word]
    said = [column.values.get(part, column.otherwise) for part in parts if part]
    return None if None in said else ",".join(sorted({str(part) for part in said}))
