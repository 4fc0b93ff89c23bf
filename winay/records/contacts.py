"""What was given, as the lines of contacts: each service by items that prove it, and some that must not count."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from winay.records.backwards import Proof, proofs
from winay.records.plan import Care
from winay.records.world import NEVER, Days, Floats, Ints, People, World, measured

DAY_BITS, CODE_BITS, TYPE_BITS, LAB_BITS = 14, 9, 3, 9


@dataclass
class _Lines:
    """Lines in pieces: who and when, words by number, measured values."""

    words: dict[str, int] = field(default_factory=lambda: {"": 0})
    pieces: list[tuple[Ints, Days, Ints, Ints, Ints, dict[str, Floats]]] = field(default_factory=list)

    def number(self, word: str) -> int:
        return self.words.setdefault(word, len(self.words))

    def any_of(self, dice: np.random.Generator, words: tuple[str, ...], size: int) -> Ints:
        """Mostly the first, so that what several sheets list counts in all of them."""
        if not words:
            return np.zeros(size, np.int64)
        numbers = np.array([self.number(word) for word in words])
        return numbers[np.minimum(dice.geometric(0.88, size) - 1, len(words) - 1)]


def contact_lines(world: World, given: list[tuple[People, Care, int, str, Days]]) -> pd.DataFrame:
    """One row a line, by day and person: person, day, code, type, lab, measured values, contact, item and lab number.

    person: children first, then pregnancies. Equal lines of one contact are one.
    """
    lines = _Lines()
    for number, (people, care, k, service, days) in enumerate(given):
        who = np.flatnonzero(days < NEVER)
        if len(who):
            _prove(
                world,
                lines,
                people,
                care,
                k,
                proofs(world.programme, service),
                who,
                days[who],
                world.dice("lines", number),
            )
    return _numbered(lines)


def _prove(
    world: World,
    lines: _Lines,
    people: People,
    care: Care,
    k: int,
    ways: list[Proof],
    who: Ints,
    day: Days,
    dice: np.random.Generator,
) -> None:
    first = 0 if people is world.children else len(world.children)
    picked = np.minimum(dice.geometric(0.8, len(who)) - 1, len(ways) - 1)
    values = {name: measured(world, people, who, value, dice, day).round(1) for name, value in care.values.items()}
    for number, way in enumerate(ways):
        mine = np.flatnonzero(picked == number)
        size = len(mine)
        person, when = who[mine] + first, day[mine]
        codes = (care.codes[k],) if k < len(care.codes) else way.codes
        code, kind = lines.any_of(dice, codes, size), lines.any_of(dice, way.types, size)
        usual = str(k + 1) if care.lab == "number" else care.lab
        lab = lines.any_of(dice, way.labs or ((usual,) if usual and usual not in way.lab_not else ()), size)
        faults = ["type", *["lab"] * bool(way.lab_not), *["absent"] * bool(way.absent)]
        fault = np.where(dice.random(size) < care.wrong, dice.integers(1, len(faults) + 1, size), 0)
        spoiled = {name: np.flatnonzero(fault == place) for place, name in enumerate(faults, start=1)}
        kind[spoiled["type"]] = lines.any_of(dice, tuple(world.plan.uncounted), len(spoiled["type"]))
        if "lab" in spoiled:
            lab[spoiled["lab"]] = lines.number(way.lab_not[-1])
        lines.pieces.append((person, when, code, kind, lab, {name: value[mine] for name, value in values.items()}))
        beside = [(other, np.arange(size)) for other in way.beside if not care.bare]
        if "absent" in spoiled:
            beside.append((Proof((way.absent[0],), way.types), spoiled["absent"]))
        for other, rows in beside:
            code = lines.any_of(dice, other.codes[:1], len(rows))
            kind = lines.any_of(dice, (other.types or way.types)[:1], len(rows))
            lines.pieces.append((person[rows], when[rows], code, kind, np.zeros(len(rows), np.int64), {}))


def _numbered(lines: _Lines) -> pd.DataFrame:
    sizes = [len(piece[0]) for piece in lines.pieces]
    person, day, code, kind, lab = (
        np.concatenate([piece[n] for piece in lines.pieces]).astype(np.int64) for n in range(5)
    )
    base = int(day.min())
    key = ((day - base << 18 | person) << CODE_BITS | code) << TYPE_BITS | _few(kind)
    _, keep = np.unique(key << LAB_BITS | lab, return_index=True)
    words = np.array(list(lines.words), object)
    table = pd.DataFrame({"person": person[keep], "day": day[keep].astype(np.int32)})
    new = {
        name: np.r_[True, np.diff(values[keep]) != 0]
        for name, values in (("person", person), ("day", day), ("code", code))
    }
    contact = new["person"] | new["day"]
    item = contact | new["code"]
    table["contact"] = np.cumsum(contact)
    table["item"] = _place(item, contact)
    table["lab_number"] = _place(np.ones(len(table), bool), item)
    for name, values in (("code", code), ("type", kind), ("lab", lab)):
        table[name] = pd.Categorical.from_codes(values[keep], words)
    for name in dict.fromkeys(name for piece in lines.pieces for name in piece[5]):
        blank = [np.full(size, np.nan) for size in sizes]
        table[name] = np.concatenate([piece[5].get(name, blank[n]) for n, piece in enumerate(lines.pieces)])[keep]
    return table


def _few(numbers: Ints) -> Ints:
    """The same numbers counted from zero without holes."""
    return np.unique(numbers, return_inverse=True)[1]


def _place(counted: np.ndarray, start: np.ndarray) -> Ints:
    """How many are counted since the last start, itself included."""
    total: Ints = np.cumsum(counted)
    return total - total[np.maximum.accumulate(np.where(start, np.arange(len(start)), 0))] + 1
