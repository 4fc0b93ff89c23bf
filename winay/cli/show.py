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
CODES = ("status", "verdict", "state", "every", "kind", "history", "decision", "undone", "open", "level", "against")
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
    columns = []
    for name in names:
        texts = [_head(name), *(_word(name, row.get(name)) for row in listed)]
        number = all(isinstance(row.get(name), int | float | None) for row in listed)
        columns.append(_aligned(texts, str.rjust if number else str.ljust))
    return write("\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True)))


def facts(values: Mapping[str, Any]) -> None:
    """One fact a line."""
    if asked.json:
        return answer(dict(values))
    heads = _aligned([_head(name) for name in values], str.ljust)
    told = zip(heads, (_word(name, value) for name, value in values.items()), strict=True)
    return write("\n".join("  ".join(line).rstrip() for line in told))


def _aligned(texts: Sequence[str], pad: Callable[[str, int], str]) -> list[str]:
    width = max(map(len, texts))
    return [pad(text, width) for text in texts]


def _head(name: str) -> str:
    return say(name.replace("_", " "))


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
