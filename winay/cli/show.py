"""What came of it, shown: columns for people, JSON for scripts on stdout; the rest on stderr."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any

from winay.cli.command import asked
from winay.core.text import say

Advance = Callable[[float], None]
CODES = ("status", "verdict", "state", "every", "kind", "history", "decision", "undone")
"""Columns whose values are words of ours: people read them in their language, scripts as they are."""


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
    names = names or list(listed[0])
    lines = [[say(name.replace("_", " ")) for name in names]]
    lines += [[_word(name, row.get(name)) for name in names] for row in listed]
    right = [all(isinstance(row.get(name), int | float | None) for row in listed) for name in names]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shape = list(zip(widths, right, strict=True))
    drawn = ([t.rjust(w) if r else t.ljust(w) for t, (w, r) in zip(line, shape, strict=True)] for line in lines)
    return write("\n".join("  ".join(line).rstrip() for line in drawn))


def facts(values: Mapping[str, Any]) -> None:
    """One fact a line."""
    if asked.json:
        return answer(dict(values))
    heads = {name: say(name.replace("_", " ")) for name in values}
    width = max(map(len, heads.values()), default=0)
    for name, value in values.items():
        write(f"{heads[name].ljust(width)}  {_word(name, value)}".rstrip())
    return None


def _word(name: str, value: Any) -> str:
    return say(str(value)) if value and name in CODES else cell(value)


def cell(value: Any) -> str:
    """A value as people read it: days in ISO, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    if type(value) is dict:
        return ", ".join(f"{name} {cell(part)}" for name, part in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(cell, value))
    return str(value)


@contextmanager
def progress(doing: str, total: float | None = None) -> Iterator[Advance]:
    """What is going on, with rate and time left, on a terminal's stderr; else nothing. `advance(n)`: n more are done."""
    if asked.json or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich import progress as bars
    from rich.console import Console

    speed = bars.TaskProgressColumn(show_speed=True)
    columns = ("{task.description}", bars.BarColumn(), speed, bars.TimeElapsedColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(say(doing), total=total)
        yield lambda done: bar.update(task, advance=done)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value.item() if hasattr(value, "item") else value.isoformat() if isinstance(value, date) else str(value)
