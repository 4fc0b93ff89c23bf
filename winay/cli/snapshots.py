"""What was computed and kept: snapshots list, show, official, prune."""

from typing import Annotated, Any

import typer

from winay.cli import show
from winay.cli.command import arg, group, opt, workspace
from winay.core.periods import Month
from winay.core.problems import wrong_use

Id = Annotated[str, arg("its number, or the beginning of it; latest; a period: its official one", "ID")]


def register(app: typer.Typer) -> None:
    group(app, snapshots, {"list": listed, "show": shown, "official": official, "prune": prune})


def snapshots() -> None:
    """What was computed, kept as it was: one official cut a period, all others provisional.

    Example: winay snapshots list
    """


def listed() -> None:
    """Every snapshot, oldest first: as of which day, known on which, official or provisional.

    Example: winay snapshots list
    """
    opened = workspace().snapshots
    show.rows(map(_line, map(opened.open_snapshot, opened.ids())), empty="there is no snapshot yet: winay evaluate")


def shown(snapshot: Id = "latest") -> None:
    """One snapshot: what it was made from, and its files.

    Example: winay snapshots show latest
    """
    found = workspace().snapshots.open_snapshot(snapshot)
    show.facts(_line(found) | {name: value for name, value in found.manifest.items() if name not in ("on", "known")})


def official(
    snapshot: Id,
    period: Annotated[str, opt("the month it is official for", "--period", "2026-05")],
    replace: Annotated[bool, opt("in the place of the official one there is", "--replace")] = False,
) -> None:
    """Make a snapshot the official one of a period. What was published before stays.

    Example: winay snapshots official latest --period 2026-05
    """
    try:
        month = str(Month.parse(period))
    except ValueError as error:
        raise wrong_use('"{text}" is not a month', "expected a month such as 2026-05", text=period) from error
    show.facts(_line(workspace().snapshots.official(snapshot, month, replace)))


def prune(keep: Annotated[int, opt("so many of the newest stay", "--keep", "N")] = 1) -> None:
    """Delete provisional snapshots but the newest; official and cited ones always stay.

    Example: winay snapshots prune --keep 3
    """
    show.rows([{"deleted": number} for number in workspace().snapshots.prune(keep=keep)], empty="nothing to delete")


def _line(snapshot: Any) -> dict[str, Any]:
    days = {name: snapshot.manifest[name] for name in ("on", "known")}
    state = "official" if snapshot.official else "provisional"
    return {"snapshot": snapshot.id, **days, "state": state, "period": snapshot.official}
