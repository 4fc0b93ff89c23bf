"""Wiñay: the software a country runs an integrated, results-based early-childhood programme on.

In a notebook: `ws = winay.open("data")`, then `ws.figures("MC-02.01", by="province", period="2026-05").to_pandas()`.
"""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from winay.programme.load import Programme

__all__ = ["Face", "open"]


def open(path: Path | str | None = None) -> "Face":
    """The workspace in this folder, or, without one named, the one around the current folder."""
    return Face(path)


class Face:
    """A workspace as a notebook sees it: the same verbs as `winay`, people by pseudonym, each look written down."""

    def __init__(self, path: Path | str | None = None) -> None:
        from winay.actions.gate import operator
        from winay.actions.opening import opened

        self._ws = opened(Path(path) if path else None)
        self._me = operator(self._ws)

    def figures(self, indicator: str, **which: Any) -> Any:
        """An Ibis table, one row a place and month. `which`: rules, by, period, place, snapshot, known_on, on."""
        import ibis

        from winay.actions.figures import figures

        return ibis.memtable(figures(self._ws, self._me, indicator, **which))

    def subjects(self, indicator: str, period: str, **which: Any) -> Any:
        """The list behind a figure, an Ibis table. `which`: rules, place, verdict, identities, snapshot, known_on.

        Columns: subject (with `identities` document), district, verdict, and each component with its status.
        """
        import ibis
        import pyarrow as pa

        from winay.actions.figures import subjects

        rows = subjects(self._ws, self._me, indicator, period, **which)
        flat = [row | row.pop("components") for row in rows]
        names = flat[0] if flat else ("subject", "district", "verdict")
        return ibis.memtable(pa.Table.from_pylist(flat, pa.schema([(name, pa.string()) for name in names])))

    def explain(self, id: str, indicator: str | None = None, on: date | None = None, **which: Any) -> dict[str, Any]:
        """The proof of a subject or of a figure's address. `which`: known_on, raw."""
        from winay.actions.explain import explain

        now = datetime.now(ZoneInfo(self._ws.time_zone)).date()
        days = {"on": on or now, "known_on": which.pop("known_on", now)}
        return explain(self._ws, self._me, id, indicator, **days, **which)

    @property
    def programme(self) -> "Programme":
        """What is promised: its standards, indicators, services, each with its file and line."""
        from winay.actions.opening import promised

        return promised(self._ws)
