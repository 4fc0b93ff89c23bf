"""What sources deliver: loaded, and what was refused of it, listed, taken out to be corrected, loaded again."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.gate import Caller
from winay.actions.opening import promised
from winay.core.problems import WinayError, unknown_name
from winay.core.text import say
from winay.workspace import Workspace

if TYPE_CHECKING:
    from winay.records.load import Report


def load(ws: Workspace, source: str, paths: Iterable[Path], known_on: date, **how: Any) -> "Report":
    """Load files of one source; `how` as in records.load."""
    from winay.records import load

    return load.load(ws, promised(ws), source, paths, known_on, **how)


def refused(ws: Workspace, caller: Caller, source: str | None, load: int | None, names: bool) -> list[dict[str, Any]]:
    """The refused records nobody corrected yet; what they said only with `names`, the look written down."""
    from winay.records.refused import REASONS, SHOWN, listed

    _declared(ws, source)
    with gate.tables(ws, caller, "refused list", what=source or "", identities=names) as people:
        rows = list(listed(ws, source, load, names))
        people.shown(len(rows) if names else 0)
    told = [name for name in SHOWN if names or name != "found"]
    return [
        {"load": row.load, "why": say(REASONS[row.reason])} | {name: getattr(row, name) for name in told}
        for row in rows
    ]


def export(ws: Workspace, caller: Caller, source: str, path: Path) -> int:
    """Write the refused records of a source into a CSV file, to be corrected there. Returns how many."""
    from winay.records import refused

    _declared(ws, source)
    with gate.tables(ws, caller, "refused export", what=source, identities=True) as people:
        count = refused.export(ws, promised(ws), source, path)
        people.shown(count)
    return count


def retry(ws: Workspace, source: str, path: Path, known_on: date, progress: Any = None) -> "Report":
    """Load a corrected export: what is accepted now leaves the refused records."""
    from winay.records import refused

    _declared(ws, source)
    return refused.retry(ws, promised(ws), source, path, known_on, progress)


def _declared(ws: Workspace, source: str | None) -> None:
    if source and source not in promised(ws).sources:
        raise WinayError(unknown_name(None, "source", source, promised(ws).sources), status=2)
