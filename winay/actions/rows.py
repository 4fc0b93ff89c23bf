"""A small CSV file that somebody wrote by hand, with every problem at its line and column."""

import contextlib
import csv
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from winay.core.problems import At, Problem, WinayError
from winay.programme.yaml_text import AT, text_of, unreadable

Row = dict[str, Any]
"""Column -> text (blank: None) or, where asked, a day; its place under `AT`."""


def read_rows(path: Path, needed: Collection[str], days: Collection[str]) -> tuple[list[Row], list[Problem]]:
    """The rows, and what is wrong with some. Raises WinayError for what is no table, or lacks a `needed` column."""
    lines = text_of(path).splitlines(keepends=True)
    mark = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.DictReader(lines, delimiter=mark, skipinitialspace=True, strict=True)
    try:
        names = list(reader.fieldnames or [])
        cells = [(At(str(path), reader.line_num), row) for row in reader]
    except csv.Error as error:
        raise unreadable(path, "not readable as CSV: {why}", reader.line_num, why=error) from error
    if missing := [name for name in needed if names.count(name) != 1]:
        facts = {"missing": ", ".join(missing), "names": ", ".join(names) or "-"}
        raise WinayError(Problem(At(str(path), 1), "there must be one column {missing}", "found: {names}", facts=facts))
    rows: list[Row] = []
    problems: list[Problem] = []
    for at, texts in cells:
        if None in texts or None in texts.values():
            problems.append(found(at, "", str(texts[names[0]]), "as many cells as the header has"))
            continue
        row: Row = {name: text.strip() or None for name, text in texts.items()}
        problems += [found(at, name, "", "a value") for name in needed if row[name] is None]
        for name in (name for name in days if row.get(name)):
            text = row[name]
            with contextlib.suppress(ValueError):
                row[name] = date.fromisoformat(text) if len(text) == 10 else text
            if row[name] is text:
                problems.append(found(at, name, text, "a day such as 2026-05-31"))
        rows.append({**row, AT: at})
    return rows, problems


def found(at: At, column: str, text: str, expected: str, hint: str = "", **facts: object) -> Problem:
    """A cell that is not what it should be."""
    return Problem(At(at.file, at.line, column or None), 'found "{text}"', expected, hint, {"text": text, **facts})
