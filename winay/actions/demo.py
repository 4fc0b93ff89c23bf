"""The whole job on invented people: files made, loaded in the order they were delivered, evaluated, looked at."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.evaluate import evaluate
from winay.actions.explain import explain
from winay.actions.figures import figures, subjects
from winay.actions.opening import opened, promised
from winay.actions.stories import due
from winay.core.periods import Month
from winay.core.problems import wrong_use
from winay.workspace import Workspace, create

if TYPE_CHECKING:
    from winay.records.invented import Deliveries
    from winay.workspace.snapshots import Snapshot

MARK = "planted.csv"
"""The list of what was put in on purpose: also how a folder is known to be an old demo."""
Step = Callable[[str, float, float], None]
"""Called with what is going on, how much is done, and of how much."""


@dataclass(frozen=True)
class Demo:
    """A demo workspace on the disk and what it holds."""

    ws: Workspace
    deliveries: "Deliveries"
    counts: dict[str, int]
    snapshot: "Snapshot"


def make(folder: Path, name: str, on: date, seed: int, regions: Sequence[str] | None, step: Step) -> Demo:
    """Invent, load and evaluate. An old demo in the folder is replaced; anything else there is left alone (wrong use)."""
    from winay.records.invented import invent
    from winay.records.load import load

    if folder.exists() and any(folder.iterdir()) and not (folder / "deliveries" / MARK).exists():
        raise wrong_use("{folder} is not empty and no demo", hint="choose another folder", folder=folder)
    shutil.rmtree(folder, ignore_errors=True)
    ws = create(folder / "workspace", programme=name, key=folder / "demo.key", time_zone="UTC")
    ws = opened(ws.path)
    programme = promised(ws)
    inventing = partial(step, "inventing files")
    made = invent(programme, folder / "deliveries", on, seed, regions, inventing)
    size = sum(one.path.stat().st_size for one in made.files)
    done = 0.0
    counts: dict[str, int] = {}
    for (source, known_on, replaces), files in groupby(
        made.files, lambda one: (one.source, one.known_on, one.replaces)
    ):
        paths = [one.path for one in files]
        how = {"replaces": replaces, "confirm": lambda question: True}  # a late file is small, and meant
        report = load(ws, programme, source, paths, known_on, **how)
        for file in report.files:
            for what in ("records", "accepted", "refused", "duplicate"):
                counts[what] = counts.get(what, 0) + getattr(file, what)
        done += sum(path.stat().st_size for path in paths)
        step("loading", done, size)
    caller = gate.operator(ws)
    people = counts.get("records", 0)
    snapshot = evaluate(ws, caller, on, on, advance=lambda judged: step("judging", judged, people))
    return Demo(ws, made, counts, snapshot)


def tour(demo: Demo, on: date) -> dict[str, Any]:
    """Where the chain fails, one district's list, one subject's proof: what a newcomer is shown.

    The indicator is the programme's headline. The district is the one where most miss something; the subject is the
    first on its list.
    """
    ws, caller = demo.ws, gate.operator(demo.ws)
    head = promised(ws).head
    key, levels = head.headline or next(iter(promised(ws).indicators)), head.levels
    month = str(Month.of(on) if Month.of(on).last == on else Month.of(on).before(1))
    whole = figures(ws, caller, key, by=levels[0], period=month).to_pylist()[0]
    regions = [r for r in figures(ws, caller, key, by=levels[1], period=month).to_pylist() if r["denominator"]]
    districts = figures(ws, caller, key, by=levels[-1], period=month).to_pylist()
    worst = max(districts, key=lambda row: row["denominator"] - row["numerator"])
    country = explain(ws, caller, whole["address"], None, on, on)
    missing = subjects(ws, caller, key, month, place=worst["place"], verdict="missing")
    last = min(Month.parse(month).last, on)
    return {
        "month": month,
        "name": str(promised(ws).indicators[key].name),
        "regions": regions,
        "worst": worst,
        "missing": country["missing"],
        "counts": country["counts"],
        "due": due(ws, caller, worst["place"], on, on),
        "proof": explain(ws, caller, missing[0]["subject"], key, last, on),
    }
