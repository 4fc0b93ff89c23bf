"""What was given, as the lines of contacts: each service by items that prove it, and some that must not count."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from winay.records.backwards import Proof, proofs
from winay.records.plan import Care
from winay.records.world import NEVER, Days, Flags, Ints, People, World, measured


@dataclass
class _Lines:
    """Lines in pieces; codes, types and LAB values are numbers of `words`."""

    words: dict[str, int] = field(default_factory=lambda: {"": 0})
    pieces: list[pd.DataFrame] = field(default_factory=list)

    def number(self, word: str) -> int:
        return self.words.setdefault(word, len(self.words))

    def mostly(self, dice: np.random.Generator, words: tuple[str, ...], size: int) -> Ints:
        """One of the words for each line, mostly the first: what several sheets list then counts in all of them."""
        numbers = np.array([self.number(word) for word in words or ("",)])
        return numbers[np.minimum(dice.geometric(0.88, size) - 1, len(numbers) - 1)]


def contact_lines(world: World, given: Iterable[tuple[People, Care, int, str, Days]]) -> pd.DataFrame:
    """One row a line, by day and person: person, day, code, type, lab, measured values, contact, item and lab number.

    person: children first, then pregnancies. Equal lines of one contact are one.
    """
    lines = _Lines()
    for number, (people, care, k, service, days) in enumerate(given):
        who, dice = np.flatnonzero(days < NEVER), world.dice("lines", number)
        first = 0 if people is world.children else len(world.children.table)
        rows = pd.DataFrame({"person": (who + first).astype(np.int32), "day": days[who]})
        values = {
            name: measured(world, people, who, value, dice, days[who]).round(1) for name, value in care.values.items()
        }
        ways = proofs(world.programme, service)
        picked = np.minimum(dice.geometric(0.8, len(who)) - 1, len(ways) - 1)
        for place, way in enumerate(ways):
            _prove(world, lines, care, k, way, rows.assign(**values)[picked == place], dice)
    return _numbered(lines)


def _prove(
    world: World, lines: _Lines, care: Care, k: int, way: Proof, rows: pd.DataFrame, dice: np.random.Generator
) -> None:
    size, usual = len(rows), str(k + 1) if care.lab == "number" else care.lab
    code = lines.mostly(dice, tuple(care.codes[k : k + 1]) or way.codes, size)
    kind = lines.mostly(dice, way.types, size)
    lab = lines.mostly(dice, way.labs or ((usual,) if usual not in way.lab_not else ()), size)
    faults = ["type", *["lab"] * bool(way.lab_not), *["absent"] * bool(way.absent)]
    fault = np.where(dice.random(size) < care.wrong, dice.integers(0, len(faults), size), -1)
    spoiled = {name: fault == place for place, name in enumerate(faults)}
    kind = np.where(spoiled["type"], lines.mostly(dice, tuple(world.plan.uncounted), size), kind)
    lab = np.where(spoiled.get("lab", False), lines.number(way.lab_not[-1] if way.lab_not else ""), lab)
    lines.pieces.append(rows.assign(code=code, type=kind, lab=lab))
    beside = [(other.codes, other.types or way.types, np.ones(size, bool)) for other in way.beside if not care.bare]
    beside += [(way.absent, way.types, spoiled["absent"])] if way.absent else []
    for codes, types, these in beside:
        other = rows.loc[these, ["person", "day"]]
        lines.pieces.append(other.assign(code=lines.number(codes[0]), type=lines.number(types[0]), lab=0))


def _numbered(lines: _Lines) -> pd.DataFrame:
    table = pd.concat(lines.pieces, ignore_index=True)
    named = table[["code", "type", "lab"]].to_numpy() @ np.array([len(lines.words) ** 2, len(lines.words), 1])
    day = table["day"].to_numpy(np.int64) - int(table["day"].min())
    key = (day * (int(table["person"].max()) + 1) + table["person"]) * len(lines.words) ** 3 + named
    table = table.iloc[np.unique(key, return_index=True)[1]].reset_index(drop=True)
    contact = _changes(table, "person") | _changes(table, "day")
    item = contact | _changes(table, "code")
    table = table.assign(
        contact=np.cumsum(contact), item=_since(contact, item), lab_number=_since(item, np.ones(len(item), bool))
    )
    words = list(lines.words)
    return table.assign(**{name: pd.Categorical.from_codes(table[name], words) for name in ("code", "type", "lab")})


def _changes(table: pd.DataFrame, name: str) -> Flags:
    changes: Flags = np.r_[True, np.diff(table[name].to_numpy()) != 0]
    return changes


def _since(start: Flags, counted: Flags) -> Ints:
    """How many are counted since the last start, itself included."""
    total: Ints = np.cumsum(counted)
    return total - total[np.maximum.accumulate(np.where(start, np.arange(len(start)), 0))] + 1
