"""Is a cell what its column declares, and what does it say? Judged once a distinct value, never guessed."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.programme.sources import SourceColumn

FINE = ""
REASONS = ("", "blank", "pattern", "unknown_code", "not_a_date", "too_early", "future", "not_a_number", "out_of_range")
_NUMBER = {"integer": r"^-?[0-9]{1,15}$", "decimal": r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"}
_KINDS = {"integer": pa.int64(), "decimal": pa.float64(), "date": pa.date32()}


@dataclass
class Judged:
    """One column of some records. values: as declared (a dictionary array), null where blank or refused;
    wrong: index into REASONS, one a record; format: which declared format each date was written in (-1: none)."""

    values: Any
    wrong: NDArray[np.uint8]
    formats: NDArray[np.int8] | None = None


def judge(column: SourceColumn, cells: Any, known: dt.date) -> Judged:
    """cells: pyarrow dictionary array of text. `known`: no declared date may lie after this day."""
    words = pc.utf8_trim_whitespace(cells.dictionary)
    blank = np.asarray(pc.equal(words, ""))
    codes = np.asarray(cells.indices)
    formats = None
    if column.type == "date":
        values, wrong, formats = _dates(column, words, known)
    elif column.type in _NUMBER:
        values, wrong = _numbers(column, words)
    else:
        values, wrong = _texts(column, words)
    wrong = np.where(blank, REASONS.index("blank") if column.required else 0, wrong).astype(np.uint8)
    values = pc.if_else(pa.array(blank | (wrong > 0)), pa.scalar(None, values.type), values)
    spread = pa.DictionaryArray.from_arrays(cells.indices, values)
    return Judged(
        spread, wrong[codes], None if formats is None else np.where(blank, -1, formats).astype(np.int8)[codes]
    )


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


def _dates(column: SourceColumn, words: Any, known: dt.date) -> tuple[Any, NDArray[np.uint8], NDArray[np.int8]]:
    days = np.full(len(words), np.iinfo(np.int32).min, np.int64)
    formats = np.full(len(words), -1, np.int8)
    for number, form in enumerate(column.formats):
        moment = pc.strptime(words, format=form, unit="s", error_is_null=True)
        # written back it must be the same text: 31/02 and 2026-3-4 are not dates of this format
        same = pc.fill_null(pc.equal(pc.strftime(moment, format=form), words), False)
        new = np.asarray(same) & (formats < 0)
        seconds = np.asarray(pc.fill_null(moment.cast(pa.int64()), 0))
        days[new], formats[new] = seconds[new] // 86_400, number
    wrong = np.zeros(len(words), np.uint8)
    wrong[formats < 0] = REASONS.index("not_a_date")
    wrong[(wrong == 0) & (days < days_of(column.earliest))] = REASONS.index("too_early")
    if not column.future:
        wrong[(wrong == 0) & (days > days_of(known))] = REASONS.index("future")
    return pa.array(np.where(wrong > 0, 0, days).astype(np.int32)).cast(pa.date32()), wrong, formats


def _numbers(column: SourceColumn, words: Any) -> tuple[Any, NDArray[np.uint8]]:
    right = pc.match_substring_regex(words, _NUMBER[column.type])
    values = pc.if_else(right, words, "0").cast(_KINDS[column.type])
    wrong = np.where(np.asarray(right), 0, REASONS.index("not_a_number")).astype(np.uint8)
    numbers = np.asarray(values)
    for bound, beyond in ((column.from_, np.less), (column.to, np.greater)):
        if bound is not None:
            wrong[(wrong == 0) & beyond(numbers, float(bound))] = REASONS.index("out_of_range")
    return values, wrong


def _texts(column: SourceColumn, words: Any) -> tuple[Any, NDArray[np.uint8]]:
    wrong = np.zeros(len(words), np.uint8)
    if column.pattern:
        right = np.asarray(pc.match_substring_regex(words, f"^(?:{column.pattern})$"))
        wrong[~right] = REASONS.index("pattern")
    if column.values is None:
        return words, wrong
    said = {word: _said(column, word) for word in words.to_pylist()}
    values = [said[word] for word in words.to_pylist()]
    wrong[[value is None and (wrong[i] == 0) for i, value in enumerate(values)]] = REASONS.index("unknown_code")
    return pa.array(values, pa.string()), wrong


def _said(column: SourceColumn, word: str) -> str | None:
    """What a code, or a set of codes, says; None when one of them is not declared."""
    assert column.values is not None
    parts = [part.strip() for part in word.split(column.separator)] if column.separator else [word]
    said = [column.values.get(part, column.otherwise) for part in parts if part]
    if any(part is None for part in said):
        return None
    return ",".join(sorted({str(part) for part in said}))
