"""Criteria -> mask columns: one expression a criterion, read by every backend alike (design 4.3)."""

from collections.abc import Iterator
from functools import reduce
from itertools import combinations
from operator import and_, or_
from typing import Any, NamedTuple

import ibis

from winay.engine.fold import ON_TIME, RECEIVED, UP_TO_DATE
from winay.programme.criteria import Criterion
from winay.programme.load import Programme

NUMBERS = ("integer", "decimal")
Column = Any
"""An Ibis value."""


class Fold(NamedTuple):
    """A mask that comes from what was received: of a whole standard (`delivery` 0) or of one delivery."""

    how: int
    standard: str
    delivery: int = 0

    @property
    def column(self) -> str:
        return f"{'uro'[self.how]}__{self.standard}" + (f"__{self.delivery}" if self.delivery else "")


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


def components(met: Criterion, programme: Programme) -> dict[str, Criterion]:
    """The parts that are shown beside a verdict, by name: what an `all_of` or its package lists, else the whole."""
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
        return criterion.package or criterion.attribute or criterion.enrolled or criterion.kind
    standard = programme.standards.get(fold.standard)
    rules = f"-{standard.rules.lower()}" if standard and standard.rules else ""
    name = fold.standard.removeprefix("event:").removesuffix(rules)
    return f"{name}-{fold.delivery}" if fold.delivery and standard else name


class Conditions:
    """Mask expressions over one wide table: one row a subject and place of residence, for one judging day."""

    def __init__(self, programme: Programme, table: Any, every: int) -> None:
        self.programme, self.table, self.every = programme, table, every

    def none(self) -> Column:
        return ibis.literal(0, "int32")

    def all(self) -> Column:
        return ibis.literal(self.every, "int32")

    def negated(self, mask: Column) -> Column:
        return mask ^ self.all()

    def holds(self, criterion: Criterion | None, otherwise: bool = True) -> Column:
        """The months in which a criterion holds; a criterion that nobody wrote holds `otherwise`."""
        if criterion is None:
            return self.all() if otherwise else self.none()
        match criterion.kind:
            case "all_of":
                return reduce(and_, map(self.holds, criterion.children))
            case "any_of":
                return reduce(or_, map(self.holds, criterion.children))
            case "at_least":
                return self._at_least(criterion)
            case "package":
                return self.holds(self.programme.packages[criterion.package or ""])
            case "attribute":
                return self._attribute(criterion)
            case "enrolled":
                return self.table[f"n__{criterion.enrolled}"]
            case "born_in":
                return self.table["born_in_year"]
        return self._folded(criterion)

    def _at_least(self, criterion: Criterion) -> Column:
        """At least n of m: some n of them all hold."""
        assert criterion.at_least
        masks = [self.holds(part) for part in criterion.at_least.of]
        return reduce(or_, (reduce(and_, some) for some in combinations(masks, criterion.at_least.n)), self.none())

    def _folded(self, criterion: Criterion) -> Column:
        """Up to date holds for whom the standard does not apply to; received and on time do not."""
        fold = fold_of(criterion)
        assert fold
        mask = self.table[fold.column]
        standard = self.programme.standards.get(fold.standard)
        if standard is None or standard.who is None:
            return mask
        applies = self.holds(standard.who)
        return mask | self.negated(applies) if fold.how == UP_TO_DATE else mask & applies

    def _attribute(self, criterion: Criterion) -> Column:
        path = criterion.attribute or ""
        value = self.table[path.replace(".", "__")]
        kind = self.programme.attributes[path.rpartition(".")[2]].type
        true = reduce(and_, _tests(criterion, value, kind)).fill_null(criterion.missing == "in")
        return true.ifelse(self.all(), self.none())


def _tests(criterion: Criterion, value: Column, kind: str) -> Iterator[Column]:
    def typed(text: str) -> Any:
        return (float(text) if "." in text else int(text)) if kind in NUMBERS else text

    if criterion.is_ is not None:
        yield value == typed(criterion.is_)
    if criterion.in_:
        yield value.isin([typed(text) for text in criterion.in_])
    if criterion.from_ is not None:
        yield value >= typed(criterion.from_)
    if criterion.to is not None:
        yield value <= typed(criterion.to)
    if criterion.below is not None:
        yield value < typed(criterion.below)
    if criterion.only:
        yield _members(value, criterion.only).length() == value.split(",").length()
    if criterion.any_:
        yield _members(value, criterion.any_).length() > 0


def _members(value: Column, wanted: list[str]) -> Column:
    """The codes of a set that are among the wanted."""
    return value.split(",").filter(lambda code: code.isin(wanted))
