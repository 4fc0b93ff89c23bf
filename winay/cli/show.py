"""What came of it, shown: a table for people, plain columns for a pipe, JSON for scripts; the rest on stderr."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any

from winay.cli.command import asked
from winay.core.text import Text, say

Advance = Callable[[float], None]
CODES = ("status", "verdict", "state", "every", "kind")
"""Columns whose values are words of ours: people read them in their language, scripts as they are."""
WIDE = 100_000


def write(text: str) -> None:
    """A line on stdout. When the reader has gone, the rest is swallowed and the work goes on to its own end."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Whoever read our output has gone: say no more, without a complaint at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """A line on stderr for people; nothing with `--json`."""
    if not asked.json:
        print(text, file=sys.stderr, flush=True)


def answer(value: Any) -> None:
    """The whole answer as JSON."""
    write(json.dumps(value, ensure_ascii=False, indent=1, default=_plain))


def rows(table: Iterable[Mapping[str, Any]], empty: str = "nothing", names: Sequence[str] | None = None) -> None:
    """One line a row; `names` chooses the columns. With `--json` the rows themselves, all columns."""
    listed = [dict(row) for row in table]
    if asked.json:
        return answer(listed)
    if not listed:
        return note(say(empty))
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Cell

    people = sys.stdout.isatty()
    drawn = Table(box=SIMPLE_HEAD if people else None, pad_edge=False)
    for name in (names := names or list(listed[0])):
        number = all(row.get(name) is None or isinstance(row[name], int | float) for row in listed)
        drawn.add_column(say(name.replace("_", " ")), justify="right" if number else "left", overflow="fold")
    for row in listed:
        cells = [cell(row.get(name)) for name in names]
        drawn.add_row(*(Cell(say(text) if name in CODES else text) for name, text in zip(names, cells, strict=True)))
    console = Console(file=None if people else io.StringIO(), width=None if people else WIDE)
    console.print(drawn)
    if not people:
        write("\n".join(line.rstrip() for line in console.file.getvalue().splitlines()))  # type: ignore[attr-defined]
    return None


def facts(values: Mapping[str, Any]) -> None:
    """One fact a line."""
    if asked.json:
        return answer(dict(values))
    heads = {name: say(name.replace("_", " ")) for name in values}
    width = max(map(len, heads.values()), default=0)
    for name, value in values.items():
        write(f"{heads[name].ljust(width)}  {cell(value)}".rstrip())
    return None


def cell(value: Any) -> str:
    """A value as people read it: days in ISO, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, Mapping) and not isinstance(value, Text):
        return ", ".join(f"{name} {cell(part)}" for name, part in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(cell(part) for part in value)
    return str(value)


@contextmanager
def progress(doing: str, total: float | None = None) -> Iterator[Advance]:
    """What is going on, with rate and time left, on a terminal's stderr; else nothing. `advance(n)`: n more are done."""
    if asked.json or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    shown = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(show_speed=True), TimeElapsedColumn())
    with Progress(*shown, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(say(doing), total=total)
        yield lambda done: bar.update(task, advance=done)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value.item() if hasattr(value, "item") else value.isoformat() if isinstance(value, date) else str(value)
