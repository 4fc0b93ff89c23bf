"""What was computed and kept: snapshots list, show, official, prune."""

from typing import Annotated, Any

import typer

from winay.cli import show
from winay.cli.command import arg, group, opt, workspace

Id = Annotated[str, arg("its number, or the beginning of it; latest; a period: its official one", "ID")]
PeriodOpt = Annotated[str, opt("the month it is official for", "--period", "2026-05")]
ReplaceOpt = Annotated[bool, opt("in the place of the official one there is", "--replace")]
KeepOpt = Annotated[int, opt("so many of the newest stay", "--keep", "N")]


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
    kept = workspace().snapshots
    show.rows((_line(kept.open_snapshot(id)) for id in kept.ids()), "there is no snapshot yet: winay evaluate")


def shown(snapshot: Id = "latest") -> None:
    """One snapshot: what it was made from, and its files.

    Example: winay snapshots show latest
    """
    found = workspace().snapshots.open_snapshot(snapshot)
    show.facts({**found.manifest, **_line(found)})


def official(snapshot: Id, period: PeriodOpt, replace: ReplaceOpt = False) -> None:
    """Make a snapshot the official one of a period. What was published before stays.

    Example: winay snapshots official latest --period 2026-05
    """
    from winay.actions.opening import month

    show.facts(_line(workspace().snapshots.official(snapshot, str(month(period)), replace)))


def prune(keep: KeepOpt = 1) -> None:
    """Delete provisional snapshots but the newest; official and cited ones always stay.

    Example: winay snapshots prune --keep 3
    """
    show.rows(({"deleted": id} for id in workspace().snapshots.prune(keep=keep)), "nothing to delete")


def _line(snapshot: Any) -> dict[str, Any]:
    days = {name: snapshot.manifest[name] for name in ("on", "known")}
    state = "official" if snapshot.official else "provisional"
    return {"snapshot": snapshot.id, **days, "state": state, "period": snapshot.official}
