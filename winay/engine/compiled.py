"""numba's compiler, with one cache on the disk for each version of the sources that compile into each other."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import config, njit
from platformdirs import user_cache_path

TOGETHER = ("plan.py", "kernel.py", "hands.py", "judging.py", "masks.py", "fold.py", "seen.py")
"""numba looks only at a function's own file; constants and helpers from the others are compiled into it as well."""


def cache() -> Path:
    digest = hashlib.sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in TOGETHER))
    return user_cache_path("winay") / "compiled" / digest.hexdigest()[:16]


def jit(function: Callable[..., Any]) -> Any:
    """Compiled on the first call on a machine, read from the cache later; runs without the interpreter's lock."""
    before = vars(config)["CACHE_DIR"]
    vars(config)["CACHE_DIR"] = str(cache())
    try:
        return njit(cache=True, nogil=True)(function)
    finally:
        vars(config)["CACHE_DIR"] = before
