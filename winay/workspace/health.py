"""The checks behind `winay doctor`: is everything here, sound, and as it was written?

A check is a function from a workspace to what it found; what it found carries its remedy, and where the remedy is safe,
a repair. Checks that read everything again stop when their time is over and say how far they came.
"""

import os
import re
import shutil
import time
import zoneinfo
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Literal

from winay.core.problems import Problem, WinayError
from winay.workspace import disk
from winay.workspace.folder import FOLDERS, Workspace
from winay.workspace.ledger import STARTED

State = Literal["good", "attention", "bad"]
FIXABLE = ("folder", "permissions", "leftovers")
SLACK = timedelta(minutes=5)  # between the clocks of two machines
ROOM = 1_000_000_000  # bytes free under which a load of a region's month may not fit


@dataclass(frozen=True)
class Check:
    """What one check found. `meaning`, `found` and `remedy` are templates for `say`, filled with `facts`."""

    name: str
    state: State = "good"
    meaning: str = ""
    found: str = ""
    remedy: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    fixable: bool = False


@dataclass(frozen=True)
class _Asked:
    """A workspace, the instant it is asked about, and when to stop reading (`time.monotonic`)."""

    ws: Workspace
    now: datetime
    stop: float


def examine(ws: Workspace, now: datetime, seconds: float = 8.0, more: Iterable[Check] = ()) -> list[Check]:
    """Every check, in order; `now` with its zone; `more`: the checks of other rooms, told with these."""
    asked = _Asked(ws, now, time.monotonic() + seconds)
    return [_examined(name, asked) for name in _CHECKS] + list(more)


def fix(ws: Workspace) -> list[str]:
    """Do what is safe: missing folders, open permissions, leftovers of killed runs. Returns the paths touched."""
    with ws.ledger.lock("doctor", wait=0):
        missing = [ws.path / name for name in FOLDERS if not (ws.path / name).is_dir()]
        for folder in missing:
            folder.mkdir(parents=True)
        opened = _private(ws)
        for path in opened:
            path.chmod(path.stat().st_mode & 0o700)
        left = _leftovers(ws)
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return [str(path) for path in (*missing, *opened, *left)]


def _examined(name: str, asked: _Asked) -> Check:
    meaning, check = _CHECKS[name]
    try:
        found = check(asked)
    except WinayError as error:
        found = _bad(error.problems)
    except OSError as error:
        found = _check(True, "{why}", "look at the disk and the permissions", "bad", why=str(error))
    fixable = found.state != "good" and name in FIXABLE
    return replace(found, name=name, meaning=meaning, fixable=fixable)


def _check(wrong: object, found: str = "", remedy: str = "", state: State = "attention", **facts: object) -> Check:
    """Good unless `wrong`; then `state`, with what was found and what to do."""
    return Check("", state, found=found, remedy=remedy, facts=facts) if wrong else Check("", facts=facts)


def _bad(problems: Iterable[Problem]) -> Check:
    told = tuple(problems)
    return Check("", "bad" if told else "good", found="{count} problems", facts={"count": len(told)}, problems=told)


def _read_again(asked: _Asked, items: Iterable[Problem | None]) -> Check:
    """Take from `items`, which reads, as long as there is time."""
    problems, done, over = [], 0, False
    for item in items:
        done += 1
        problems += [item] if item else []
        if over := time.monotonic() > asked.stop:
            break
    return (
        _bad(problems)
        if problems
        else _check(over, "{done} were read, then the time was over", "give it more: winay doctor --full", done=done)
    )


def _libraries(asked: _Asked) -> Check:
    """Each library against the limits that winay itself declares."""
    wrong = []
    for need in metadata.requires("winay") or ():
        name = re.split(r"[^\w.-]", need, maxsplit=1)[0]
        if "extra ==" in need:
            continue
        have = _numbers(metadata.version(name))
        for sign, limit in re.findall(r"(>=|<)([\d.]+)", need.partition(";")[0]):
            if (have < _numbers(limit)) == (sign == ">="):
                wrong.append(f"{name} {metadata.version(name)} ({sign}{limit})")
    told = ", ".join(wrong)
    return _check(told, "{libraries}", "install winay again with its locked versions", "bad", libraries=told)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _engine(asked: _Asked) -> Check:
    con = asked.ws.connect(threads=1)
    (zone,) = con.raw_sql("select current_setting('TimeZone')").fetchone()
    con.disconnect()
    return _check(zone != "UTC", "DuckDB counts days in {zone}", "install winay again", "bad", zone=zone)


def _folder(asked: _Asked) -> Check:
    usable = (name for name in FOLDERS if os.access(asked.ws.path / name, os.W_OK | os.X_OK))
    names = ", ".join(sorted({*FOLDERS} - {*usable}))
    remedy = "bring them back from a copy, or give your user the right to write; winay doctor --fix makes empty ones"
    return _check(names, "missing or closed to you: {names}", remedy, "bad", names=names)


def _private(ws: Workspace) -> list[Path]:
    """What other users of the machine can read, and should not."""
    return [path for path in (ws.path, ws.key_file) if path.exists() and path.stat().st_mode & 0o077]


def _permissions(asked: _Asked) -> Check:
    told = ", ".join(map(str, _private(asked.ws)))
    return _check(told, "other users can read {paths}", "winay doctor --fix closes them", paths=told)


def _room(asked: _Asked) -> Check:
    free = shutil.disk_usage(asked.ws.path).free
    return _check(free < ROOM, "{free} are free", "make room before the next load", free=disk.size(free))


def _key(asked: _Asked) -> Check:
    """Told as a problem when it is missing or another's."""
    inside = bool(asked.ws.vault.key) and asked.ws.key_file.is_relative_to(asked.ws.path)
    remedy = "move it out of the workspace and say where in winay.toml"
    return _check(inside, "{file} is kept with what it opens", remedy, "bad", file=asked.ws.key_file)


def _clock(asked: _Asked) -> Check:
    last = max((load.finished for load in asked.ws.ledger.loads()), default="")
    ahead = last and datetime.fromisoformat(last) > asked.now + SLACK
    found = "the last load is of {last}, the clock says {now}"
    return _check(ahead, found, "set the clock", "bad", last=last, now=asked.now)


def _zone(asked: _Asked) -> Check:
    zone = asked.ws.time_zone
    return _check(
        zone not in zoneinfo.available_timezones(),
        'no time zone is called "{zone}"',
        "correct winay.toml",
        "bad",
        zone=zone,
    )


def _unfinished(asked: _Asked) -> Check:
    told = ", ".join(f"{load.id} ({load.source}, {load.name})" for load in asked.ws.ledger.loads(STARTED))
    return _check(told, "begun and not finished: {loads}", "run the same command again: it goes on", loads=told)


def _leftovers(ws: Workspace) -> list[Path]:
    """What killed runs left behind, and nothing reads."""
    return [*ws.lake.orphans(), *ws.snapshots.leftovers(), *ws.path.rglob(".*.draft")]


def _left(asked: _Asked) -> Check:
    count = len(_leftovers(asked.ws))
    return _check(count, "{count} files of runs that were killed", "winay doctor --fix removes them", count=count)


def _refused(asked: _Asked) -> Check:
    count = sum(1 for _ in asked.ws.ledger.refused())
    return _check(count, "{count} records wait for a correction", "see them with: winay refused list", count=count)


def _deliveries(asked: _Asked) -> Check:
    kept = set(asked.ws.vault.deliveries())
    told = ", ".join(f"{load.id} ({load.name})" for load in asked.ws.ledger.loads() if load.sha256 not in kept)
    remedy = "bring the vault back from a copy, unless their time has passed: without them no line can be shown again"
    return _check(told, "not kept: {loads}", remedy, loads=told)


_CHECKS: dict[str, tuple[str, Callable[[_Asked], Check]]] = {
    "libraries": ("the versions that were proved together", _libraries),
    "engine": ("DuckDB starts, counts days in UTC, and asks the network for nothing", _engine),
    "folder": ("all parts of the workspace are here, and you may write in them", _folder),
    "permissions": ("nobody else on this machine reads the workspace or its key", _permissions),
    "room": ("space left on the disk", _room),
    "key": ("the key is here, belongs to this workspace, and is kept outside it", _key),
    "clock": ("no load comes from the future", _clock),
    "time-zone": ("days are days of this zone", _zone),
    "ledger": ("what was loaded is written down, and unchanged", lambda a: _bad(a.ws.ledger.problems())),
    "unfinished": ("no load was left half-way", _unfinished),
    "log": ("ledger and tables name the same files", lambda a: _bad(a.ws.lake.unlogged())),
    "leftovers": ("nothing was left behind by a run that was killed", _left),
    "refused": ("no record waits for a correction", _refused),
    "deliveries": ("the delivered file of every load is kept", _deliveries),
    "snapshots": ("published figures are as they were frozen", lambda a: _bad(a.ws.snapshots.verify())),
    "lake": ("the data files are as they were written", lambda a: _read_again(a, a.ws.lake.verify())),
    "vault": ("identities and delivered files open", lambda a: _read_again(a, a.ws.vault.verify())),
}
