"""Who is the same person: equal identifiers and people's decisions, nothing else; likeness only proposes."""

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winay.core.problems import wrong_use

Persons = NDArray[np.int64]


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


def components(nodes: Persons, a: Persons, b: Persons, decided: Sequence[Decision] = ()) -> Persons:
    """For each of the distinct identifiers `nodes`, the first of them that names the same person. `a` and `b` are of one
    person, pair by pair; these, and those `decided` (which holds already), are all among the nodes."""
    order = np.argsort(nodes)

    def place(persons: Any) -> Any:
        return order[np.searchsorted(nodes, np.asarray(persons, np.int64), sorter=order)]

    joins = [d for d in decided if d.kind == "join"]
    a = np.append(place(a), place([d.a for d in joins]))
    b = np.append(place(b), place([d.b for d in joins]))
    for one, other in ((place(d.a), place(d.b)) for d in decided if d.kind == "split"):
        # `other` loses what joins it to those that `one` reaches without it
        free = (a != other) & (b != other)
        root = _roots(len(nodes), a[free], b[free])
        keep = free | (root[np.where(a == other, b, a)] != root[one])
        a, b = a[keep], b[keep]
    return nodes[_roots(len(nodes), a, b)]


def _roots(count: int, a: Persons, b: Persons) -> Persons:
    """For each of so many nodes, the first node of its component."""
    root = np.arange(count)
    while True:
        np.minimum.at(root, np.maximum(root[a], root[b]), np.minimum(root[a], root[b]))
        while (root[root] != root).any():
            root = root[root]
        if (root[a] == root[b]).all():
            return root


@dataclass(frozen=True)
class Proposal:
    """Two people who may be one: how likely, and what is alike."""

    a: int
    b: int
    probability: float
    alike: dict[str, tuple[str, str]]


LEAST = 0.8
"""The probability from which a pair is worth a look."""
ALIKE = ("names", "surname", "second_surname", "birth", "sex", "place", "mother")


def proposals(people: Iterable[tuple[int, dict[str, str]]], most: int | None = None) -> list[Proposal]:
    """The (`most`) likeliest pairs that look like one person (Splink). people: one a component, from the vault.

    Compared are pairs with the same birth day and a name or the mother in common, or the same names and surnames.
    Whoever has no name of its own yet is compared by its mother. Raises when the extra `linkage` is not installed.
    """
    try:
        import splink
        import splink.comparison_library as compare
    except ImportError as error:
        raise wrong_use("likeness needs Splink, which is not installed", hint="pip install 'winay[linkage]'") from error

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
            *(compare.ExactMatch(name) for name in ("birth", "sex", "place", "mother")),
        ],
        blocking_rules_to_generate_predictions=[
            splink.block_on("birth", "mother"),
            splink.block_on("birth", "surname"),
            splink.block_on("names", "surname", "second_surname"),
        ],
        probability_two_random_records_match=1e-4,
    )
    kinds = pa.schema([("unique_id", pa.int64()), *((name, pa.string()) for name in ALIKE)])
    linker = splink.Linker(splink.DuckDBAPI().register(pa.Table.from_pylist(rows, kinds)), settings)
    predicted: Any = linker.inference.predict(threshold_match_probability=LEAST)
    order = [("match_probability", "descending"), ("unique_id_l", "ascending"), ("unique_id_r", "ascending")]
    found = predicted.as_pyarrow_table().sort_by(order).slice(0, most).to_pylist()
    return [
        Proposal(
            pair["unique_id_l"],
            pair["unique_id_r"],
            pair["match_probability"],
            {name: (pair[f"{name}_l"] or "", pair[f"{name}_r"] or "") for name in ALIKE},
        )
        for pair in found
    ]
