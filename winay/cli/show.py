"""What came of it, shown: a table for people, plain columns for a pipe, JSON for scripts; the rest on stderr."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any

from winay.cli.command import asked, colour
from winay.core.text import Text, say

Advance = Callable[[float], None]
CODES = ("status", "verdict", "state", "every", "kind")
"""Columns whose values are words of ours: people read them in their language, scripts as they are."""


def write(text: str) -> None:
    """A line on stdout. When the reader has gone, the rest is swallowed and the work goes on to its own end."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
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
    names = names or list(listed[0])
    heads = [say(name.replace("_", " ")) for name in names]
    cells = [[say(cell(row.get(name))) if name in CODES else cell(row.get(name)) for name in names] for row in listed]
    numbers = [all(isinstance(row.get(n), int | float) or row.get(n) is None for row in listed) for n in names]
    if sys.stdout.isatty():
        return _drawn(heads, cells, numbers)
    widths = [max(len(line[i]) for line in [heads, *cells]) for i in range(len(names))]
    for line in [heads, *cells]:
        told = [c.rjust(w) if right else c.ljust(w) for c, w, right in zip(line, widths, numbers, strict=True)]
        write("  ".join(told).rstrip())
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
    return value.isoformat() if isinstance(value, date) else str(value)


@contextmanager
def progress(doing: str, total: float | None = None) -> Iterator[Advance]:
    """What is going on, with rate and time left, on a terminal's stderr; else nothing."""
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

    rate = TextColumn("{task.fields[rate]}")
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        rate,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True, no_color=not colour())) as bar:
        task = bar.add_task(say(doing), total=total, rate="")

        def advance(done: float) -> None:
            """`done` more of the total."""
            speed = bar.tasks[task].speed
            bar.update(task, advance=done, rate=say("{speed:,.0f}/s", speed=speed) if speed else "")

        yield advance


def _drawn(heads: list[str], cells: list[list[str]], numbers: list[bool]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head, right in zip(heads, numbers, strict=True):
        table.add_column(head, justify="right" if right else "left", overflow="fold")
    for line in cells:
        table.add_row(*(line))
    Console(no_color=not colour(), markup=False, highlight=False).print(table)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value.item() if hasattr(value, "item") else str(value)
