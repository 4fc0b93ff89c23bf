"""How a bar is told: one line with its name, the ratio measured, the goal, and whether it holds."""

import resource
import statistics
import time
from collections.abc import Callable
from typing import Any


def bar(name: str, measured: float, goal: float, unit: str = "x") -> bool:
    """Prints the line; at most `goal` holds."""
    holds = measured <= goal
    print(
        f"{name:<58} {measured:8.2f} {unit:<4} goal {goal:g} {unit}  {'holds' if holds else 'falls short'}", flush=True
    )
    return holds


def median(work: Callable[..., Any], *args: Any, times: int = 3) -> float:
    """Seconds of the middle one of some runs, after one to warm up."""
    work(*args)
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work(*args)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def peak_gb() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
