"""Named points where tests make the disk fail or the process die; in a normal run they do nothing.

WINAY_FAULT=name[:nth] chooses the point (and which passage through it, the first unless said);
WINAY_FAULT_KIND=kill ends the process there as `kill -9` does, anything else raises "no space left on device".
"""

import errno
import os
import signal
from collections import Counter

POINTS = (
    "folder.create",  # folders made, winay.toml not yet
    "disk.name",  # a whole file written beside its place, not yet under its name
    "vault.identities",  # sealed rows written, not committed
    "vault.keep.chunk",  # before each chunk of a delivery
    "ledger.begin",  # the load's line written, not committed
    "ledger.refuse",  # refused rows written, not committed
    "lake.append.data",  # before the data file is closed and synced
    "lake.append.log",  # data file on the disk, not yet in the table's log
    "lake.append.sync",  # in the log, the log not yet synced
    "ledger.finish",  # everything written, the load not yet done
    "snapshots.file",  # before each file of a snapshot is synced
    "snapshots.name",  # snapshot complete, not yet under its name
)
_passed: Counter[str] = Counter()


def point(name: str) -> None:
    """A place where a write may fail. `name` is one of POINTS."""
    assert name in POINTS
    chosen, _, nth = os.environ.get("WINAY_FAULT", "").partition(":")
    if chosen != name:
        return
    _passed[name] += 1
    if _passed[name] != int(nth or 1):
        return
    if os.environ.get("WINAY_FAULT_KIND") == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)


def reset() -> None:
    """Forget the passages counted so far (a test process goes through the points many times)."""
    _passed.clear()
