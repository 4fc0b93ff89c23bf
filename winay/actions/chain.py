"""The production line of a place and month, and the cascade of a package: read from a snapshot, never from names."""

from datetime import date
from typing import Any

from winay.actions import gate
from winay.actions.beside import Beside
from winay.actions.figures import Cut, month_among
from winay.actions.opening import promised
from winay.core.periods import judged_on
from winay.core.problems import WinayError, unknown_name, wrong_use
from winay.engine import chain as engine
from winay.engine.judging import Calendar
from winay.engine.tree import Tree
from winay.workspace import Workspace

Row = dict[str, Any]


def chain(
    ws: Workspace, caller: gate.Caller, *, place: str | None = None, period: str | None = None, entity: str | None = None,
    snapshot: str = "latest",
) -> Row:  # fmt: skip
    """Where the chain fails: `weakest` (the first of `links`, or null), `links` the weakest first, and `results`.

    Links and results as engine.chain gives them, each link with the `context` that touched its product, and the context
    of all of them (Beside.context); also what they rest on: place, name, level, period, as_of, known_on,
    snapshot, state, and the words to read them with: programme, entities, subjects.
    """
    programme, con = promised(ws), ws.connect()
    if entity and entity not in programme.head.entities:
        raise WinayError(unknown_name(None, "entity", entity, programme.head.entities), status=2)
    with gate.tables(ws, caller, "chain", what=entity or "", places=(place,) if place else ()):
        kept = ws.snapshots.open_snapshot(snapshot)
        tree = Tree.of(kept.read(con, "places").to_pyarrow().to_pylist())
        calendar = Calendar.back_from(date.fromisoformat(kept.manifest["on"]), kept.manifest["months"])
        month, here = month_among(calendar, period), place or tree.root or ""
        if here not in tree.places:
            raise WinayError(unknown_name(None, "place", here, tree.places), status=2)
        figures = kept.read(con, "figures")
        rows = figures.filter(figures.place.isin([here, tree.root])).to_pyarrow().to_pylist()
    of: dict[str | None, dict[str, dict[str, Row]]] = {here: {}, tree.root: {}}
    for row in rows:
        of[row["place"]].setdefault(f"{row['indicator']}@{row['rules']}", {})[row["month"]] = row
    beside = Beside(ws, date.fromisoformat(kept.manifest["known"]))
    targets = beside.targets(here, calendar.months)
    links = [
        link | {"context": [event for event in beside.context(here, month, [link["product"]]) if event["product"]]}
        for link in engine.links(programme, of[here], of[tree.root], month, targets)
        if entity in (None, link["entity"])
    ]
    known = [link for link in links if link["coverage"] is not None]
    return {
        "programme": str(programme.head.name),
        "place": here,
        "name": tree.places[here].name,
        "level": tree.places[here].level,
        "period": str(month),
        "as_of": judged_on(month, calendar.on),
        "known_on": kept.manifest["known"],
        "snapshot": kept.id,
        "state": "official" if kept.official else "provisional",
        "weakest": known[0] if known else None,
        "context": beside.context(here, month, []),
        "links": links,
        "results": engine.results(programme, of[here], of[tree.root], month, targets),
        "entities": {key: str(one.name) for key, one in programme.head.entities.items()},
        "subjects": {key: str(kind.plural or kind.name) for key, kind in programme.head.subjects.items()},
    }


def cascade(ws: Workspace, caller: gate.Caller, package: str, place: str, period: str, **which: Any) -> list[Row]:
    """Where a package loses whom: one row an indicator that counts it, judged on that month.

    Keys: indicator, name, place, period, snapshot, state, and what engine.chain.cascade gives. which: snapshot.
    """
    programme = promised(ws)
    if package not in programme.packages:
        raise WinayError(unknown_name(None, "package", package, programme.packages), status=2)
    counted = [
        indicator for indicator in programme.indicators.values() if indicator.met and indicator.met.package == package
    ]
    if not counted:
        raise wrong_use('no indicator counts package "{name}"', hint="see: winay programme show", name=package)
    rows = []
    for indicator in counted:
        with gate.tables(ws, caller, "cascade", what=f"{indicator.key}/{period}", places=(place,)) as people:
            cut = Cut.of(ws, people, indicator.indicator, period, rules=indicator.rules, **which)
            month = cut.month(period)
            inside = cut.verdicts.filter(
                cut.verdicts.place.isin(cut.tree.below(place, judged_on(month, cut.calendar.on)))
            )
            told = engine.cascade(inside.to_pyarrow(), 1 << cut.calendar.months.index(month))
        whose = {"indicator": indicator.key, "name": str(indicator.name), "place": place, "period": period}
        rows.append(whose | {"snapshot": cut.snapshot, "state": cut.state} | told)
    return rows
