"""An Ibis connection to DuckDB that asks the network for nothing."""

import os
from pathlib import Path
from typing import Any


def connect(threads: int | None = None, spill: Path | None = None) -> Any:
    """An in-memory DuckDB behind Ibis, in UTC, with six tenths of the machine's memory. `threads`: default one a core;
    `spill`: where larger work goes. Extensions are never fetched nor loaded."""
    import ibis

    ibis.options.sql.fuse_selects = False  # fused, a column used twice is computed twice
    settings: dict[str, Any] = {
        "threads": threads or os.cpu_count() or 2,
        "memory_limit": f"{machine_memory() * 6 // 10 >> 20}MiB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    if spill is not None:
        settings["temp_directory"] = str(spill)
    con = ibis.duckdb.connect(**settings)
    con.raw_sql("set TimeZone = 'UTC'")
    return con


def machine_memory() -> int:
    """Bytes of memory of this machine, or of the container we are in."""
    limit = Path("/sys/fs/cgroup/memory.max")
    allowed = limit.read_text("ascii").strip() if limit.is_file() else "max"
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(have, int(allowed)) if allowed.isdigit() else have
