"""Is everything all right? Each check has a state, what was found, and what to do; all of them in under ten seconds."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from winay.actions.opening import promised
from winay.actions.sources import sources
from winay.core.problems import Problem, WinayError
from winay.core.text import say
from winay.workspace import Workspace

GOOD, CARE, BAD = "good", "care", "bad"
"""Care: it works, and somebody should look at it."""
ROOM = 2e9
SECONDS = 3.0
"""That long the newest files of a store are read again; what was not reached is told."""
Found = tuple[bool, str]


@dataclass(frozen=True)
class Check:
    check: str
    state: str
    found: str
    remedy: str = ""


def doctor(ws: Workspace, fix: bool = False) -> Iterator[Check]:
    """Every check in turn; one that cannot be made is bad. `fix` removes what killed runs left behind."""
    if fix:
        for path in _left(ws):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, (look, worst, remedy) in CHECKS.items():
        try:
            good, found = look(ws)
        except WinayError as error:
            good, found = False, error.problems[0].told()
        except (OSError, KeyError) as error:
            good, found = False, str(error)
        yield Check(say(name), GOOD if good else worst, found, "" if good else say(remedy))


def _room(ws: Workspace) -> Found:
    free = shutil.disk_usage(ws.path).free
    return free > ROOM, f"{free / 1e9:,.1f} GB"


def _closed(ws: Workspace) -> Found:
    return _nothing(path.name for path in [ws.path, *ws.path.iterdir()] if not os.access(path, os.W_OK))


def _programme(ws: Workspace) -> Found:
    programme = promised(ws)
    before = {load.programme for load in ws.ledger.loads()[-1:]} - {programme.hash, ""}
    return not before, f"{programme.name} {programme.hash}"


def _clock(ws: Workspace) -> Found:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return all(load.finished <= now for load in ws.ledger.loads()), now


def _sound(problems: Iterable[Problem | None]) -> Found:
    """As many files as can be read again in SECONDS."""
    read, end = 0, time.monotonic() + SECONDS
    for problem in problems:
        if problem:
            return False, problem.told()
        read += 1
        if time.monotonic() > end:
            return True, say("{n} read again, the newest first; not all", n=read)
    return True, say("{n} read again", n=read)


def _left(ws: Workspace) -> list[Path]:
    return [*ws.snapshots.leftovers(), *ws.lake.orphans()]


def _nothing(names: Iterable[object]) -> Found:
    listed = list(map(str, names))
    return not listed, ", ".join(listed[:5]) + (f" … ({len(listed)})" if len(listed) > 5 else "")


def _late(ws: Workspace) -> Found:
    return _nothing(
        f"{row['source']} {month}" for row in sources(ws, datetime.now(UTC).date()) for month in row["late"]
    )


def _looks(ws: Workspace) -> Found:
    from winay.decisions.models import looks
    from winay.decisions.setup import database

    broken = looks.first_broken(database(ws))
    return broken is None, say("line {n}", n=broken) if broken else ""


CHECKS: dict[str, tuple[Callable[[Workspace], Found], str, str]] = {
    "Python": (lambda ws: (sys.version_info >= (3, 11), sys.version.split()[0]), BAD, "install Python 3.11 or newer"),
    "room on the disk": (_room, CARE, "make room: at least 2 GB"),
    "right to write": (_closed, BAD, "let the account that runs winay write in the workspace"),
    "key": (lambda ws: (bool(ws.vault.seal(b"")), str(ws.key_file)), BAD, "bring the key file back from its copy"),
    "key is private": (lambda ws: (not ws.key_file.stat().st_mode & 0o077, ""), CARE, "chmod 600 on the key file"),
    "programme": (_programme, CARE, "the last load was made under other rules; evaluate again"),
    "clock": (_clock, BAD, "the clock is behind the last load: set it"),
    "time zone": (lambda ws: (bool(ZoneInfo(ws.time_zone)), ws.time_zone), BAD, "correct time_zone in winay.toml"),
    "ledger": (lambda ws: _sound(ws.ledger.problems()), BAD, "bring the workspace back from a copy; change nothing before"),
    "lake": (lambda ws: _sound(ws.lake.verify()), BAD, "bring the file back from a copy, or load the delivery again"),
    "vault": (lambda ws: _sound(ws.vault.verify()), BAD, "bring the vault back from a copy"),
    "snapshots": (lambda ws: _sound(ws.snapshots.verify()), BAD, "evaluate again, or bring it back from a copy"),
    "unfinished loads": (lambda ws: _nothing(x.name for x in ws.ledger.loads("started")), CARE, "run the same load again"),
    "left by killed runs": (lambda ws: _nothing(_left(ws)), CARE, "winay doctor --fix removes them"),
    "refused records": (lambda ws: _nothing(x.file for x in ws.ledger.refused()), CARE, "see winay refused list"),
    "late sources": (_late, CARE, "ask who owes them: winay sources"),
    "log of looks": (_looks, BAD, "somebody changed the log: tell the data-protection officer"),
}  # fmt: skip
"""name -> how to look, how bad it is when not good, what to do then."""
