"""A programme looked into: checked, listed, told in words."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from winay.core.problems import WinayError, unknown_name

PARTS = ("products", "services", "standards", "events", "packages", "indicators", "sources")


def checked(path: str) -> dict[str, Any]:
    """What the programme holds, and the standards evaluated once for each judging day. Raises with every problem."""
    from winay.engine import plan
    from winay.programme.locate import programme
    from winay.records.tables import check

    found = programme(path)
    if problems := check(found):
        raise WinayError(problems)
    events = [plan.event_schedule(name, event, found.head.month_end) for name, event in found.events.items()]
    tracks = plan.compile([*events, *found.schedules.values()], found.service_numbers, 0, 0).tracks
    daily = sorted({track.name for track in tracks if not track.stable})
    return (
        {"programme": found.name, "hash": found.hash}
        | {part: len(getattr(found, part)) for part in PARTS}
        | {"day_by_day": daily}
    )


def contents(path: str) -> list[dict[str, Any]]:
    """One row a part: kind, key, name, rules."""
    from winay.programme.locate import programme

    found = programme(path)
    parts = {"rules": found.head.rules} | {part: getattr(found, part) for part in PARTS}
    return [
        {"kind": kind, "key": key, "name": str(getattr(item, "name", "") or ""), "rules": getattr(item, "rules", None)}
        for kind, items in parts.items()
        for key, item in items.items()
    ]


def one(path: str, name: str) -> dict[str, Any]:
    """An indicator, standard or product: where it is written, in words, and a standard as it is meant (normal form)."""
    from winay.programme.guide import told
    from winay.programme.locate import programme

    found = programme(path)
    known: dict[str, Any] = {**found.products, **found.standards, **found.indicators}
    if name not in known:
        raise WinayError(unknown_name(None, "part of the programme", name, known), status=2)
    meant = {"meant": asdict(found.schedules[name])} if name in found.schedules else {}
    return {"at": str(known[name].at), "words": told(name, found)} | meant


def guide(path: str, out: Path | None) -> dict[str, str]:
    """The pages, by file name; written into `out` where it is given."""
    from winay.programme.guide import pages
    from winay.programme.locate import programme

    made = pages(programme(path))
    for name, text in made.items() if out else ():
        file = out / name  # type: ignore[operator]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return made
