"""The only file that names a backend: an Ibis connection to DuckDB that asks the network for nothing, or to Spark."""

import os
from pathlib import Path
from typing import Any

from winay.core.problems import wrong_use


def connect(threads: int | None = None, memory: int | None = None, spill: Path | None = None) -> Any:
    """An in-memory DuckDB behind Ibis, in UTC. `threads`: default one a core; `memory`: bytes, default six tenths of
    what the machine has; `spill`: where larger work goes. Extensions are never fetched nor loaded."""
    import ibis

    ibis.options.sql.fuse_selects = False  # fused, a column used twice is computed twice
    settings: dict[str, Any] = {
        "threads": threads or os.cpu_count() or 2,
        "memory_limit": f"{(memory or machine_memory() * 6 // 10) >> 20}MiB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    if spill is not None:
        settings["temp_directory"] = str(spill)
    con = ibis.duckdb.connect(**settings)
    con.raw_sql("set TimeZone = 'UTC'")
    return con


def spark(master: str) -> Any:
    """Spark behind Ibis (see spark.connect). Raises WinayError when the extra `spark` is not installed."""
    try:
        from winay.workspace.spark import connect
    except ImportError as error:
        raise wrong_use("this needs Spark, which is not installed", hint="pip install 'winay[spark]'") from error
    return connect(master, machine_memory() * 4 // 10)


def machine_memory() -> int:
    """Bytes of memory of this machine, or of the container we are in."""
    limit = Path("/sys/fs/cgroup/memory.max")
    allowed = limit.read_text("ascii").strip() if limit.is_file() else "max"
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(have, int(allowed)) if allowed.isdigit() else have
