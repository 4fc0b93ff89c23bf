"""A programme looked into: checked, listed, told in words."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from winay.core.problems import WinayError, unknown_name
from winay.programme.locate import programme

PARTS = ("products", "services", "standards", "events", "packages", "indicators", "sources")


def checked(path: str) -> dict[str, Any]:
    """What the programme holds, and the standards evaluated once for each judging day. Raises with every problem."""
    from winay.engine.plan import compile as compiled
    from winay.engine.plan import event_schedule
    from winay.records.tables import check

    found = programme(path)
    if problems := check(found):
        raise WinayError(problems)
    events = [event_schedule(name, event, found.head.month_end) for name, event in found.events.items()]
    plan = compiled([*events, *found.schedules.values()], found.service_numbers, 0, 0)
    daily = sorted({track.name for track in plan.tracks if not track.stable})
    return (
        {"programme": found.name, "hash": found.hash}
        | {part: len(getattr(found, part)) for part in PARTS}
        | {"day_by_day": daily}
    )


def contents(path: str) -> list[dict[str, Any]]:
    """One row a part: kind, key, name, rules."""
    found = programme(path)
    rows = [
        {"kind": "rules", "key": key, "name": str(rules.name), "rules": None} for key, rules in found.head.rules.items()
    ]
    for part in PARTS:
        for key, item in getattr(found, part).items():
            rows.append(
                {
                    "kind": part,
                    "key": key,
                    "name": str(getattr(item, "name", "") or ""),
                    "rules": getattr(item, "rules", None),
                }
            )
    return rows


def one(path: str, name: str) -> dict[str, Any]:
    """One part: where it is written, in words, and for a standard as it is meant (the normal form)."""
    from winay.programme import guide, words

    found = programme(path)
    known: dict[str, Any] = {key: item for part in PARTS for key, item in getattr(found, part).items()}
    if name not in known:
        raise WinayError(unknown_name(None, "part of the programme", name, known), status=2)
    if name in found.standards:
        return {"at": known[name].at, "words": guide.standard(name, found), "meant": asdict(found.schedules[name])}
    if name in found.services:
        told = words.matcher(found.services[name], found)
    elif name in found.packages:
        told = "\n".join(words.criterion(found.packages[name], found))
    elif name in found.indicators:
        told = guide.indicator(found.indicators[name], found)
    else:
        told = guide.product(found.products[name], found) if name in found.products else str(known[name].name)
    return {"at": known[name].at, "words": told}


def guide(path: str, out: Path | None) -> dict[str, str]:
    """The pages, by file name; written into `out` where it is given."""
    from winay.programme.guide import pages

    made = pages(programme(path))
    for name, text in made.items() if out else ():
        file = out / name  # type: ignore[operator]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return made
