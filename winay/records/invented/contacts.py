"""What was given, as the lines of contacts: each service by an item that proves it, but for some that must not count."""

from typing import Any

import numpy as np
import pandas as pd

from winay.records.invented.care import cared_for
from winay.records.invented.people import NEVER, World
from winay.records.invented.proofs import proof

Item = tuple[str, str, str]
"""Code, type and LAB value."""


def contact_lines(world: World) -> pd.DataFrame:
    """One row a line, by day and person: person, day, code, type, lab, haemoglobin, contact, item and lab number."""
    items: dict[Item, int] = {}
    pieces = []
    for care, k, service, days in cared_for(world):
        way, who = proof(world.programme, service), np.flatnonzero(days < NEVER)
        rows = pd.DataFrame({"person": who, "day": days[who]})
        usual = str(k) if care.lab == "number" else care.lab
        code, lab = (care.codes or way.codes)[k - 1 if care.codes else 0], (*way.labs, usual)[0]
        right, wrong = (
            (code, kind, "" if lab in way.lab_not else lab) for kind in (way.types[0], world.plan.uncounted)
        )
        numbers = [items.setdefault(item, len(items)) for item in (right, wrong)]
        if care.haemoglobin:
            mean, sd = care.haemoglobin
            rows["haemoglobin"] = np.round(mean + sd * np.clip(world.dice.normal(size=len(who)), -2.5, 2.5), 1)
        pieces.append(rows.assign(what=np.where(world.dice.random(len(who)) < care.wrong, numbers[1], numbers[0])))
        for other in () if care.bare else way.beside:
            item = (other.codes[0], other.types[0], "")
            pieces.append(rows[["person", "day"]].assign(what=items.setdefault(item, len(items))))
    return _in_contacts(pd.concat(pieces, ignore_index=True), list(items), len(world.people))


def _in_contacts(table: pd.DataFrame, items: list[Item], people: int) -> pd.DataFrame:
    """The lines in order, equal ones once, with their items as three columns, and numbered inside their contacts."""
    place = np.argsort(np.argsort([code for code, _, _ in items], kind="stable"))  # lines of one code stand together
    key = (table["day"].to_numpy(np.int64) * people + table["person"]) * len(items) + place[table["what"]]
    table = table.iloc[np.unique(key, return_index=True)[1]].reset_index(drop=True)
    what = table.pop("what")
    for name, words in zip(("code", "type", "lab"), zip(*items, strict=True), strict=True):
        table[name] = pd.Categorical(words)[what]
    changed: Any = table[["person", "day"]].diff().any(axis=1)
    table["contact"] = changed.cumsum() + 1
    table["item"] = (changed | (table["code"].cat.codes.diff() != 0)).groupby(table["contact"]).cumsum()
    table["lab_number"] = table.groupby(["contact", "item"]).cumcount() + 1
    return table
