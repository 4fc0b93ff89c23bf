"""Is everything all right? Each check has a state, what was found, and what to do; all of them in under ten seconds."""

import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from winay.actions.opening import promised, sources
from winay.core.problems import Problem, WinayError
from winay.core.text import say
from winay.workspace import Workspace

GOOD, CARE, BAD = "good", "care", "bad"
"""Care: it works, and somebody should look at it."""
ROOM = 2e9
SECONDS = 2.0
"""That long the newest files of a store are read again; what was not reached is told."""
Found = tuple[bool, str]


def doctor(ws: Workspace, fix: bool = False, full: bool = False) -> Iterator[dict[str, str]]:
    """One row a check: check, state, found, remedy. `fix` removes what killed runs left behind; `full` reads everything."""
    for path in _left(ws) if fix else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, look, worst, remedy in _checks(ws, math.inf if full else SECONDS):
        try:
            good, found = look()
        except WinayError as error:
            good, found = False, error.problems[0].told()
        except (OSError, KeyError) as error:
            good, found = False, str(error)
        told = {"check": say(name), "state": GOOD if good else worst, "found": found}
        yield told | {"remedy": "" if good else say(remedy)}


def _checks(ws: Workspace, seconds: float) -> list[tuple[str, Callable[[], Found], str, str]]:
    """Name, how to look, how bad it is when not good, what to do then."""
    key, vault, ledger, loads = ws.key_file, ws.vault, ws.ledger, ws.ledger.loads
    copy, again = "bring it back from a copy; change nothing before", "evaluate again, or bring it back from a copy"
    expired = "unless their time has passed, bring the vault back from a copy"
    return [
        ("Python", lambda: (sys.version_info >= (3, 11), sys.version.split()[0]), BAD, "install Python 3.11 or newer"),
        ("room on the disk", lambda: _room(ws.path), CARE, "make room: at least 2 GB"),
        ("right to write", lambda: _closed(ws.path), BAD, "let the account that runs winay write in the workspace"),
        ("key", lambda: (bool(vault.seal(b"")), str(key)), BAD, "bring the key file back from its copy"),
        ("key is private", lambda: (not key.stat().st_mode & 0o077, str(key)), CARE, "chmod 600 on the key file"),
        ("key is outside", lambda: (not key.is_relative_to(ws.path), str(key)), BAD, "move it, and correct winay.toml"),
        ("programme", lambda: _programme(ws), CARE, "the last load was made under other rules; evaluate again"),
        ("clock", lambda: _clock(ws), BAD, "the clock is behind the last load: set it"),
        ("time zone", lambda: (bool(ZoneInfo(ws.time_zone)), ws.time_zone), BAD, "correct time_zone in winay.toml"),
        ("ledger", lambda: _sound(ledger.problems(), seconds), BAD, copy),
        ("lake", lambda: _sound(ws.lake.verify(), seconds), BAD, copy),
        ("vault", lambda: _sound(vault.verify(), seconds), BAD, copy),
        ("snapshots", lambda: _sound(ws.snapshots.verify(), seconds), BAD, again),
        ("delivered files", lambda: _undelivered(ws), CARE, expired),
        ("unfinished loads", lambda: _nothing(x.name for x in loads(done=False)), CARE, "run the same load again"),
        ("left by killed runs", lambda: _nothing(_left(ws)), CARE, "winay doctor --fix removes them"),
        ("refused records", lambda: _nothing(x.file for x in ledger.refused()), CARE, "see winay refused list"),
        ("late sources", lambda: _late(ws), CARE, "ask who owes them: winay sources"),
        ("log of looks", lambda: _looks(ws), BAD, "somebody changed the log: tell the data-protection officer"),
    ]


def _nothing(names: Iterable[object]) -> Found:
    """Good when there are none."""
    listed = list(map(str, names))
    return not listed, ", ".join(listed[:5]) + (f" … ({len(listed)})" if len(listed) > 5 else "")


def _sound(problems: Iterable[Problem | None], seconds: float) -> Found:
    """As many files as can be read again in that time."""
    read, end = 0, time.monotonic() + seconds
    for read, problem in enumerate(problems, start=1):
        if problem:
            return False, problem.told()
        if time.monotonic() > end:
            return True, say("{n} read again, the newest first; for all: winay doctor --full", n=read)
    return True, say("{n} read again", n=read)


def _room(path: Path) -> Found:
    free = shutil.disk_usage(path).free
    return free > ROOM, f"{free / 1e9:,.1f} GB"


def _closed(path: Path) -> Found:
    return _nothing(inside.name for inside in [path, *path.iterdir()] if not os.access(inside, os.W_OK))


def _programme(ws: Workspace) -> Found:
    programme = promised(ws)
    before = {load.programme for load in ws.ledger.loads()[-1:]} - {programme.hash, ""}
    return not before, f"{programme.name} {programme.hash}"


def _clock(ws: Workspace) -> Found:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return all(load.finished <= now for load in ws.ledger.loads()), now


def _undelivered(ws: Workspace) -> Found:
    kept = set(ws.vault.deliveries())
    return _nothing(load.name for load in ws.ledger.loads() if load.sha256 not in kept)


def _left(ws: Workspace) -> list[Path]:
    return [*ws.snapshots.leftovers(), *ws.lake.orphans(), *ws.path.rglob(".*.draft")]


def _late(ws: Workspace) -> Found:
    rows = sources(ws, datetime.now(UTC).date())
    return _nothing(f"{row['source']} {month}" for row in rows for month in row["late"])


def _looks(ws: Workspace) -> Found:
    from winay.decisions import database
    from winay.decisions.models import looks

    broken = looks.first_broken(database(ws))
    return broken is None, say("line {n}", n=broken) if broken else ""
