"""A small CSV file that somebody wrote by hand, with every problem at its line and column."""

import csv
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from winay.core.problems import At, Problem, WinayError
from winay.programme.yaml_text import AT, MAX_BYTES

Row = dict[str, Any]
"""Column -> text (blank: None) or, where asked, a day; its place under `AT`."""


def read_rows(path: Path, needed: Collection[str], days: Collection[str]) -> tuple[list[Row], list[Problem]]:
    """The rows, and what is wrong with some. Raises WinayError for what is no table, or lacks a `needed` column."""
    lines = _text(path).splitlines(keepends=True)
    mark = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.DictReader(lines, delimiter=mark, skipinitialspace=True, strict=True)
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        names = list(reader.fieldnames or [])
        if missing := [name for name in needed if names.count(name) != 1]:
            facts = {"missing": ", ".join(missing), "names": ", ".join(names) or "-"}
            raise WinayError(
                Problem(At(str(path), 1), "there must be one column {missing}", "found: {names}", facts=facts)
            )
        for cells in reader:
            at = At(str(path), reader.line_num)
            if None in cells or None in cells.values():
                problems.append(found(at, "", str(cells[names[0]]), "as many cells as the header has"))
                continue
            row: Row = {name: text.strip() or None for name, text in cells.items()}
            problems += [found(at, name, "", "a value") for name in needed if row[name] is None]
            for name in days:
                if row.get(name) and not (day := _day(row[name])):
                    problems.append(found(at, name, row[name], "a day such as 2026-05-31"))
                elif row.get(name):
                    row[name] = day
            rows.append({**row, AT: at})
    except csv.Error as error:
        facts = {"why": str(error)}
        raise WinayError(Problem(At(str(path), reader.line_num), "not readable as CSV: {why}", facts=facts)) from error
    return rows, problems


def found(at: At, column: str, text: str, expected: str, hint: str = "", **facts: object) -> Problem:
    """A cell that is not what it should be."""
    return Problem(At(at.file, at.line, column or None), 'found "{text}"', expected, hint, {"text": text, **facts})


def _text(path: Path) -> str:
    try:
        if path.stat().st_size <= MAX_BYTES:
            return path.read_text("utf-8-sig")
        raise WinayError(Problem(At(str(path)), "the file has more than {limit} bytes", facts={"limit": MAX_BYTES}))
    except UnicodeDecodeError as error:
        raise WinayError(
            Problem(At(str(path)), "the file is not UTF-8 text (byte {byte})", facts={"byte": error.start})
        ) from error


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
