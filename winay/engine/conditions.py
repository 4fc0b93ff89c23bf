"""Criteria over month masks: and, or and not of columns, the same on numpy arrays and on Ibis columns (design 4.3).

What a criterion without parts asks (a leaf) is a column of its own, made by engine.verdicts before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import and_, or_
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winay.engine.fold import ON_TIME, RECEIVED, UP_TO_DATE, Fold
from winay.programme.criteria import TESTS, Criterion
from winay.programme.load import Programme

Asked = Fold | tuple[str, ...]
Column = Any
"""A mask a row, as a numpy array or an Ibis column; a plain number is the same mask for all."""


def fold_of(criterion: Criterion) -> Fold | None:
    if criterion.up_to_date:
        return Fold(UP_TO_DATE, criterion.up_to_date)
    if criterion.event:
        return Fold(RECEIVED, f"event:{criterion.event}", 1)
    path = criterion.received or criterion.on_time
    if not path:
        return None
    name, _, number = path.partition("/")
    return Fold(RECEIVED if criterion.received else ON_TIME, name, int(number or 0))


def walk(criterion: Criterion | None, programme: Programme) -> Iterator[Criterion]:
    """The criterion and everything under it, packages and the `who` of standards opened."""
    if criterion is None:
        return
    yield criterion
    for child in criterion.children:
        yield from walk(child, programme)
    if criterion.package:
        yield from walk(programme.packages[criterion.package], programme)
    fold = fold_of(criterion)
    if fold and fold.standard in programme.standards:
        yield from walk(programme.standards[fold.standard].who, programme)


def asked(criterion: Criterion) -> Asked:
    """What a leaf asks: the name of its column."""
    if criterion.attribute:
        return criterion.attribute, *(str(getattr(criterion, name)) for name in (*TESTS, "missing"))
    if stretch := criterion.seen or criterion.latest:
        return criterion.kind, repr(stretch)
    return fold_of(criterion) or (criterion.kind, str(criterion.enrolled))


def leaves(roots: Iterable[Criterion | None], programme: Programme) -> dict[Asked, Criterion]:
    """Everything that some criteria ask, by the names of the columns, each once."""
    every = (c for root in roots for c in walk(root, programme) if not c.children and not c.package)
    return {asked(leaf): leaf for leaf in every}


def components(met: Criterion | None, programme: Programme) -> dict[str, Criterion]:
    """The parts that are shown beside a verdict, by name: what an `all_of` or its package lists, else the whole."""
    if met is None:
        return {}
    root = met
    while root.package:
        root = programme.packages[root.package]
    return {name_of(part, programme): part for part in root.all_of or [root]}


def name_of(criterion: Criterion, programme: Programme) -> str:
    """Its own name, else that of the standard without its rule version, else of what it asks."""
    if criterion.name:
        return criterion.name
    fold = fold_of(criterion)
    if fold is None:
        told = criterion.seen.service if criterion.seen else criterion.latest.is_ if criterion.latest else None
        return told or criterion.package or criterion.attribute or criterion.enrolled or criterion.kind
    standard = programme.standards.get(fold.standard)
    rules = f"-{standard.rules.lower()}" if standard and standard.rules else ""
    name = fold.standard.removeprefix("event:").removesuffix(rules)
    return f"{name}-{fold.delivery}" if fold.delivery and standard else name


@dataclass(frozen=True)
class Conditions:
    """Masks of criteria, from those of their leaves. every: the mask of all months."""

    programme: Programme
    columns: Mapping[Asked, Column]
    every: int

    def holds(self, criterion: Criterion | None, otherwise: bool = True) -> Column:
        """The months in which a criterion holds; a criterion that nobody wrote holds `otherwise`."""
        if criterion is None:
            return self.every if otherwise else 0
        if criterion.package:
            return self.holds(self.programme.packages[criterion.package])
        if not criterion.children:
            return self._leaf(criterion)
        masks = [self.holds(part) for part in criterion.children]
        if criterion.all_of:
            return reduce(and_, masks)
        if criterion.at_least:  # some n of them all hold
            masks = [reduce(and_, some) for some in combinations(masks, criterion.at_least.n)]
        return reduce(or_, masks, 0)

    def _leaf(self, criterion: Criterion) -> Column:
        """Up to date holds for whom the standard does not apply to; received and on time do not."""
        mask, fold = self.columns[asked(criterion)], fold_of(criterion)
        standard = self.programme.standards.get(fold.standard) if fold else None
        if not fold or standard is None or standard.who is None:
            return mask
        applies = self.holds(standard.who)
        return mask | applies ^ self.every if fold.how == UP_TO_DATE else mask & applies


def tested(criterion: Criterion, values: Any, kind: str) -> NDArray[np.bool_]:
    """Whether an attribute passes, value by value and, at the end, when it is missing. values: Arrow, of a type `kind`.

    Numbers compare as numbers, all else as it is written: days as 2026-05-31, codes of a set between commas.
    """
    number = kind in ("integer", "decimal")
    coded = values.combine_chunks().dictionary_encode()
    found: NDArray[Any] = np.array(coded.dictionary.cast(pa.float64() if number else pa.string()).to_pylist())
    found = found.astype(np.float64 if number else np.str_)
    typed = float if number else str
    passes, c = np.ones(len(found), bool), criterion
    if c.is_ is not None:
        passes &= found == typed(c.is_)
    if c.in_:
        passes &= np.isin(found, [typed(text) for text in c.in_])
    if c.from_ is not None:
        passes &= found >= typed(c.from_)
    if c.to is not None:
        passes &= found <= typed(c.to)
    if c.below is not None:
        passes &= found < typed(c.below)
    if c.only:
        passes &= np.array([{*text.split(",")} <= {*c.only} for text in found], bool)
    if c.any_:
        passes &= np.array([not {*text.split(",")}.isdisjoint(c.any_) for text in found], bool)
    passing: NDArray[np.bool_] = np.append(passes, c.missing == "in")[np.append(coded.indices.fill_null(-1), -1)]
    return passing
