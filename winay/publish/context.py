"""What happened beside a figure, in words: it changes no number, and whoever reads the number reads it too."""

from collections.abc import Iterable
from typing import Any

from winay.core.text import say


def events(context: Iterable[dict[str, Any]]) -> list[str]:
    """What happened beside a figure: `strike 2026-10-03 … 2026-10-20 Bagua`, the note in brackets."""
    return [
        f"{say(row['kind'])} {row['since']} … {row['until'] or say('today')} {row['name'] or ''}".rstrip()
        + (f" ({row['note']})" if row["note"] else "")
        for row in context
    ]
