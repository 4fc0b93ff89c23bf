"""A small CSV file that somebody wrote by hand, with every problem at its line and column."""

import csv
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from winay.core.problems import At, Problem, WinayError, nearest

LIMIT = 4_000_000


class Rows:
    """The rows of a file: its columns as text (blank: None), those named `days` as days; `problems` found on the way."""

    def __init__(self, path: Path, needed: Collection[str], days: Collection[str]) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.rows: list[dict[str, Any]] = []
        self.lines: list[int] = []
        lines = self._text().splitlines(keepends=True)
        head = lines[0] if lines else ""
        reader = csv.reader(lines, delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
        try:
            names = [name.strip() for name in next(reader, [])]
            self._header(names, needed)
            for cells in reader:
                if cells:
                    self._row(
                        reader.line_num, dict(zip(names, cells, strict=False)), len(cells) == len(names), needed, days
                    )
        except csv.Error as error:
            raise self._stop("not readable as CSV: {why}", reader.line_num, why=error) from error

    def expect(self, column: str, known: Collection[str], expected: str, **facts: object) -> None:
        """A problem for each row whose cell is none of the known."""
        for line, row in zip(self.lines, self.rows, strict=True):
            if row[column] is not None and row[column] not in known:
                close = nearest(row[column], known)
                self._problem(
                    line,
                    column,
                    row[column],
                    expected,
                    'did you mean "{close}"?' if close else "",
                    close=close,
                    **facts,
                )

    def _text(self) -> str:
        if not self.path.is_file():
            raise self._stop("there is no such file")
        if self.path.stat().st_size > LIMIT:
            raise self._stop("the file has more than {limit} bytes", limit=LIMIT)
        try:
            return self.path.read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self._stop("the file is not UTF-8 text (byte {byte})", byte=error.start) from error

    def _header(self, names: list[str], needed: Collection[str]) -> None:
        missing = [name for name in needed if name not in names]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if missing or doubled:
            found = "the column {missing} is missing" if missing else "the column {doubled} is there twice"
            facts = {"missing": ", ".join(missing), "doubled": ", ".join(doubled), "names": ", ".join(names) or "-"}
            raise self._stop(found, 1, "found: {names}", **facts)

    def _row(self, line: int, row: dict[str, Any], whole: bool, needed: Collection[str], days: Collection[str]) -> None:
        if not whole:
            return self._problem(line, None, f"{len(row)}", "as many cells as the header has")
        row = {name: text.strip() or None for name, text in row.items()}
        for name in needed:
            if row[name] is None:
                self._problem(line, name, "", "a value")
        for name in days:
            if row.get(name) is not None:
                row[name] = self._day(line, name, row[name])
        self.rows.append(row)
        self.lines.append(line)
        return None

    def _day(self, line: int, column: str, text: str) -> date | None:
        try:
            if len(text) == 10:
                return date.fromisoformat(text)
        except ValueError:
            pass
        self._problem(line, column, text, "a day such as 2026-05-31")
        return None

    def _problem(
        self, line: int, column: str | None, found: str, expected: str, hint: str = "", **facts: object
    ) -> None:
        facts |= {"found": found}
        self.problems.append(Problem(At(str(self.path), line, column), 'found "{found}"', expected, hint, facts))

    def _stop(self, found: str, line: int | None = None, expected: str = "", **facts: object) -> WinayError:
        return WinayError(Problem(At(str(self.path), line), found, expected, facts=facts))
