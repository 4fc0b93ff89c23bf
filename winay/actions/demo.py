"""The whole job on invented people: files made, loaded in the order they were delivered, evaluated, looked at."""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from itertools import groupby
from pathlib import Path
from statistics import correlation, median
from typing import Any

from winay.actions import gate
from winay.actions.beside import Beside
from winay.actions.evaluate import evaluate
from winay.actions.explain import explain
from winay.actions.figures import figures, subjects
from winay.actions.opening import opened, promised
from winay.actions.stories import due
from winay.core.periods import Month
from winay.core.problems import wrong_use
from winay.workspace import Workspace, create

ENOUGH = 30
"""Children measured in a district, and districts, below which nothing is compared."""
Step = Callable[[str, float | None], AbstractContextManager[Callable[[float], None]]]
"""Opened with what is going on and of how much it is; called with how much more is done."""


def planted(folder: Path) -> Path:
    """The list of what was put in on purpose: also how a folder is known to be an old demo."""
    return folder / "deliveries" / "planted.csv"


def make(
    folder: Path, name: str, on: date, seed: int, regions: Sequence[str], step: Step
) -> tuple[Workspace, Counter[str]]:
    """Invent, load and evaluate: the workspace, and what became of the records.

    An old demo in the folder is replaced; anything else there is left alone (wrong use).
    """
    from winay.records.invented import invent
    from winay.records.load import load

    if folder.exists() and any(folder.iterdir()) and not planted(folder).exists():
        raise wrong_use("{folder} is not empty and no demo", hint="choose another folder", folder=folder)
    shutil.rmtree(folder, ignore_errors=True)
    ws = create(folder / "workspace", programme=name, key=folder / "demo.key", time_zone="UTC")
    ws = opened(ws.path)
    programme, counts = promised(ws), Counter[str]()
    with step("inventing files", None) as advance:
        files = invent(programme, folder / "deliveries", on, seed, regions, advance)
    size = {file.path: file.path.stat().st_size for file in files}
    with step("loading", sum(size.values())) as advance:
        for (source, known_on, replaces), some in groupby(files, lambda one: (one.source, one.known_on, one.replaces)):
            paths = [file.path for file in some]
            how = {"replaces": replaces, "confirm": lambda question: True}  # a late file is small, and meant
            for loaded in load(ws, programme, source, paths, known_on, **how).files:
                counts.update({what: getattr(loaded, what) for what in ("records", "accepted", "refused", "duplicate")})
            advance(sum(size[path] for path in paths))
    with step("judging", counts["records"]) as advance:
        evaluate(ws, gate.operator(ws), on, on, advance=advance)
    return ws, counts


def tour(ws: Workspace, on: date) -> dict[str, Any]:
    """Where the chain fails, one district's list, one subject's proof: what a newcomer is shown.

    The indicator is the programme's headline. The district is the one where most miss something; the subject is the
    first on its list.
    """
    caller, head = gate.operator(ws), promised(ws).head
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
        "level": levels[len(levels) // 2],
        "regions": regions,
        "worst": worst,
        "missing": country["missing"],
        "counts": country["counts"],
        "due": due(ws, caller, worst["place"], on, on),
        "proof": explain(ws, caller, missing[0]["subject"], key, last, on),
        "closeness": closeness(ws, caller, month, on),
    }


def closeness(ws: Workspace, caller: gate.Caller, month: str, on: date) -> list[dict[str, Any]]:
    """How close the invented districts come to the published ones: one row an indicator of which districts are published.

    Keys: indicator, name, issuer, districts (with ENOUGH of ours), invented and published (% of the middle one), distance
    (points, of the middle one), correlation (-1 to 1).
    """
    programme, known, rows = promised(ws), Beside(ws, on), list[dict[str, Any]]()
    for key in (key for key in programme.indicators if key in known.measuring):
        meant = programme.indicators[key]
        theirs = {row["place"]: row for row in known.series(key) if row["unit"] == "%" and not row["target"]}
        found = figures(ws, caller, meant.indicator, rules=meant.rules, by=programme.head.levels[-1], period=month)
        both = [
            (100 * row["value"], theirs[row["place"]]["value"])
            for row in found.to_pylist()
            if row["denominator"] >= ENOUGH and row["place"] in theirs
        ]
        if len(both) >= ENOUGH:
            ours, published = zip(*both, strict=True)
            named = {"indicator": key, "name": str(meant.name), "issuer": theirs.popitem()[1]["issuer"]}
            middle = {"invented": median(ours), "published": median(published)}
            middle |= {"distance": median(abs(a - b) for a, b in both), "correlation": correlation(ours, published)}
            rows.append(named | {"districts": len(both)} | {k: round(v, 2) for k, v in middle.items()})
    return rows
