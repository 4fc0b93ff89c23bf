"""Who is the same person: equal identifiers and people's decisions, nothing else; likeness only proposes."""

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numba
import numpy as np
from numpy.typing import NDArray

from winay.core.problems import wrong_use


@dataclass(frozen=True)
class Decision:
    """What somebody decided of two identifiers. join: they are one person. split: they are two, and what only `b`
    names goes with `b`. It holds on days from `since` on, until the day it was undone."""

    kind: Literal["join", "split"]
    a: int
    b: int
    since: dt.date
    undone: dt.date | None = None

    def holds(self, day: dt.date) -> bool:
        return self.since <= day and (self.undone is None or day < self.undone)


def components(
    nodes: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64], decided: Sequence[Decision] = ()
) -> NDArray[np.int32]:
    """A number for each node (sorted, distinct identifiers): equal for those of one person. Edges outside `nodes` do
    not count; `decided` holds already."""
    joins = [d for d in decided if d.kind == "join"]
    a = np.concatenate([a, np.array([d.a for d in joins], np.int64)])
    b = np.concatenate([b, np.array([d.b for d in joins], np.int64)])
    for split in (d for d in decided if d.kind == "split"):
        keep = _uncut(a, b, split)
        a, b = a[keep], b[keep]
    if not len(nodes):
        return np.zeros(0, np.int32)
    left = np.minimum(np.searchsorted(nodes, a), len(nodes) - 1)
    right = np.minimum(np.searchsorted(nodes, b), len(nodes) - 1)
    inside = (nodes[left] == a) & (nodes[right] == b)
    united: NDArray[np.int32] = _united(len(nodes), left[inside], right[inside])
    return united


def _uncut(a: NDArray[np.int64], b: NDArray[np.int64], split: Decision) -> NDArray[np.bool_]:
    """The edges that stay: `b` loses those to identifiers that `a` reaches without it."""
    near, grown = np.array([split.a]), 0
    while len(near) > grown:
        grown = len(near)
        free = (a != split.b) & (b != split.b)
        touched = free & (np.isin(a, near) | np.isin(b, near))
        near = np.union1d(near, np.concatenate([a[touched], b[touched]]))
    cut: NDArray[np.bool_] = ((a == split.b) & np.isin(b, near)) | ((b == split.b) & np.isin(a, near))
    return ~cut


@numba.njit(cache=True, nogil=True)
def _united(count: int, a: Any, b: Any) -> Any:
    """Union-find with path halving: the smallest node of each component, by node."""
    parent = np.arange(count).astype(np.int32)
    for i in range(len(a)):
        x, y = a[i], b[i]
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        while parent[y] != y:
            parent[y] = parent[parent[y]]
            y = parent[y]
        if x < y:
            parent[y] = x
        else:
            parent[x] = y
    for i in range(count):
        x = i
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        parent[i] = x
    return parent


@dataclass(frozen=True)
class Proposal:
    """Two people who may be one: how likely, and what is alike."""

    a: int
    b: int
    probability: float
    alike: dict[str, tuple[str, str]]


ALIKE = ("names", "surname", "second_surname", "birth", "sex", "place", "mother")


def proposals(
    people: Iterable[tuple[int, dict[str, str]]], least: float = 0.8, most: int | None = None
) -> list[Proposal]:
    """The (`most`) likeliest pairs that look like one person (Splink). people: one a component, from the vault.

    Compared are pairs with the same birth day and a name or the mother in common, or the same names and surnames.
    Whoever has no name of its own yet is compared by its mother. Raises when the extra `linkage` is not installed.
    """
    try:
        import splink
        import splink.comparison_library as compare
    except ImportError as error:
        raise wrong_use("likeness needs Splink, which is not installed", hint="pip install 'winay[linkage]'") from error
    import pyarrow as pa

    logging.getLogger("splink").setLevel(logging.ERROR)  # it warns that its weights are not trained on these people
    rows = [{"unique_id": person, **{name: facts.get(name) or None for name in ALIKE}} for person, facts in people]
    if len(rows) < 2:
        return []
    settings = splink.SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.JaroWinklerAtThresholds("names", [0.92, 0.8]),
            compare.JaroWinklerAtThresholds("surname", [0.92]),
            compare.JaroWinklerAtThresholds("second_surname", [0.92]),
            compare.ExactMatch("birth"),
            compare.ExactMatch("sex"),
            compare.ExactMatch("place"),
            compare.ExactMatch("mother"),
        ],
        blocking_rules_to_generate_predictions=[
            splink.block_on("birth", "mother"),
            splink.block_on("birth", "surname"),
            splink.block_on("names", "surname", "second_surname"),
        ],
        probability_two_random_records_match=1e-4,
    )
    kinds = pa.schema([("unique_id", pa.int64()), *((name, pa.string()) for name in ALIKE)])
    database = splink.DuckDBAPI()
    linker = splink.Linker(database.register(pa.Table.from_pylist(rows, kinds)), settings)
    predicted: Any = linker.inference.predict(threshold_match_probability=least)
    found = predicted.as_pyarrow_table()
    order = [("match_probability", "descending"), ("unique_id_l", "ascending"), ("unique_id_r", "ascending")]
    known = {row["unique_id"]: row for row in rows}
    made = []
    for pair in found.sort_by(order).slice(0, most).select([name for name, _ in order]).to_pylist():
        probability, a, b = pair.values()
        alike = {name: (str(known[a][name] or ""), str(known[b][name] or "")) for name in ALIKE}
        made.append(Proposal(a, b, probability, alike))
    return made
