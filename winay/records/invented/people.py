"""Invented people: where and when they are born, to whom, and what is drawn for them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from winay.core.ages import Age, days_of
from winay.core.problems import WinayError
from winay.programme.check import defined
from winay.programme.load import Programme
from winay.records.invented.lines import NEVER, Facts, written
from winay.records.invented.plan import Chance, Fact, Plan

Days = NDArray[np.int32]
Flags = NDArray[np.bool_]
OLDEST = 5
"""Years of age of which the estimates say how many children there are."""


class World:
    """The districts asked for, their facilities and the people; days are int32 from 1970-01-01, other facts text.

    people: one row a subject: `kind`, `birth` (of an episode, the birth it ended with), `at` (the number of its district),
    `home`, `family` (log-odds that household and district add to all that happens), `last` (no record after that day), and
    the facts of `demo.yaml`.
    """

    def __init__(self, programme: Programme, plan: Plan, on: date, seed: int, regions: Collection[str]) -> None:
        """regions: codes of places at any level."""
        self.programme, self.plan, self.on, self.dice = programme, plan, on, np.random.default_rng(seed)
        tree, births, facilities = (
            pd.read_csv(programme.path / f"reference/{name}.csv.gz", dtype=str, keep_default_na=False)
            for name in ("places", "population", "providers")
        )
        inside, levels = set(regions), programme.head.levels
        for code, parent in zip(tree["code"], tree["parent"], strict=True):  # a place stands after the one it lies in
            inside |= {code} if parent in inside else set()
        lowest = tree[(tree["level"] == levels[-1]) & (tree["until"] == "") & tree["code"].isin(inside)]
        self.places = lowest.merge(births.rename(columns={"place": "code"}), on="code")
        named, above = tree.set_index("code"), self.places["code"]
        for level in reversed(levels[:-1]):
            above = above.map(named["parent"])
            self.places[level] = above.map(named["name"])
        for name, wanted in plan.facilities.items():
            facilities = facilities[facilities[name].isin(wanted)]
        at = self.places["code"].rename("place").rename_axis("at").reset_index()
        self.facilities = facilities.rename(columns={"code": "provider"}).merge(at, on="place")
        series = pd.read_csv(programme.path / "reference/series.csv.gz", dtype={"place": str})
        self.series = series.pivot_table("value", "place", "series", aggfunc="last").reindex(self.places["code"])
        self.people = pd.DataFrame()
        self.people = self._subjects(self.draw(self._births(), plan.homes))

    def facts(self, rows: pd.DataFrame) -> Facts:
        """The facts of rows: their own, else of their `person`, else of the place they are `at`.

        What a person has from a day on (`_day`) is blank in what was told before it.
        """

        def fact(name: str) -> Any:
            if name in rows:
                return rows[name]
            for key, table in (("person", self.people), ("at", self.places)):
                if key in rows and name in table:
                    values, had = table[name].to_numpy()[rows[key]], table.get(f"{name}_day")
                    return values if had is None else np.where(had.to_numpy()[rows[key]] <= rows["day"], values, "")
            return None

        return fact

    def happens(self, rows: pd.DataFrame, chance: Chance) -> Flags:
        """To whom it happens: those it is about, by its share and by family."""
        happened, fact = np.ones(len(rows), bool), self.facts(rows)
        for name, wanted in chance.only.items():
            happened &= np.isin(fact(name), wanted)
        share = chance.share
        if isinstance(share, str):  # a district of which nothing was published is like the others
            if unknown := list(defined(chance.at, "series", share, self.series)):
                raise WinayError(unknown)
            known = self.series[share].fillna(self.series[share].median()).to_numpy() / 100
            share = np.clip(known[np.asarray(fact("at"))], 0.001, 0.999)
        if np.min(share) < 1:
            odds = np.log(share / (1 - share)) + chance.family * np.asarray(fact("family"))
            happened &= self.dice.random(len(rows)) < 1 / (1 + np.exp(-odds))
        return happened

    def draw(self, rows: pd.DataFrame, facts: Iterable[Fact]) -> pd.DataFrame:
        """The rows with these facts; where one is drawn again, its last happening holds."""
        rows = rows.copy()
        for fact in facts:
            values = self._values(rows, fact)
            blank = {"i": NEVER, "f": np.nan}.get(values.dtype.kind, "")
            rows[fact.fact] = np.where(self.happens(rows, fact), values, rows.get(fact.fact, blank))
        return rows

    def _values(self, rows: pd.DataFrame, fact: Fact) -> NDArray[Any]:
        size, known = len(rows), self.facts(rows)
        if fact.options:
            weights = fact.options if isinstance(fact.options, dict) else dict.fromkeys(fact.options, 1.0)
            shares = np.array(list(weights.values())) / sum(weights.values())
            return self.dice.choice(np.array(list(weights), object), size, p=shares)
        if fact.facility:
            return self._near(rows["at"].to_numpy(), fact.facility)
        if fact.normal:
            return self.dice.normal(*fact.normal, size)
        if fact.text:
            return np.array(written(fact.text, known, size).to_pylist(), object)
        late = fact.late * np.exp(self.plan.spread * self.dice.normal(size=size))
        days = self.dice.integers(*fact.between, size) if fact.between else late
        return np.asarray(known(fact.after) + days, np.int32)

    def _near(self, at: NDArray[np.int64], weights: Mapping[str, float]) -> NDArray[Any]:
        """A facility for each, by the weight of its category: of its own district, else of those around it, else any."""
        weight = self.facilities["category"].map(weights).fillna(0)
        there, parent = self.facilities["at"], self.places["parent"].to_numpy()
        found = np.zeros(len(at), np.int64)
        for place in np.unique(at):
            share = weight * (1e4 * (there == place) + (parent[there] == parent[place])) + 1e-9
            found[at == place] = self.dice.choice(len(there), (at == place).sum(), p=share / share.sum())
        return np.asarray(self.facilities["provider"])[found]

    def _births(self) -> pd.DataFrame:
        """District, day and family of each birth, from the estimates (those of age k were born k years ago)."""
        plan, dice, pieces = self.plan, self.dice, []
        for year in range(OLDEST):
            share = 1 if year < plan.months // 12 else plan.older
            expected = share * self.places[f"age_{year}"].astype(float).to_numpy()
            at = np.repeat(np.arange(len(expected)), np.floor(expected + dice.random(len(expected))).astype(int))
            first, last = (days_of(Age(-12 * (year + back)).after(self.on)) for back in (1, 0))
            day = first + 1 + dice.integers(0, last - first, len(at))
            pieces.append(pd.DataFrame({"at": at, "birth": day.astype(np.int32)}))
        births = pd.concat(pieces).sort_values(["at", "birth"], ignore_index=True)
        known = self.places[list(plan.by)].apply(pd.to_numeric, errors="coerce")
        place = ((known - known.mean()) / known.std()).fillna(0) @ list(plan.by.values())
        place += plan.place * dice.normal(size=len(place))
        family = place.to_numpy()[births["at"]] + plan.family * dice.normal(size=len(births))
        number, later = np.arange(1, len(births) + 1), dice.permutation(births["at"])
        return births.assign(family=family, number=number, home=number, at_later=later)

    def _subjects(self, homes: pd.DataFrame) -> pd.DataFrame:
        """All subjects. A twin has the birth and the home of the child before it."""
        twin = self.dice.random(len(homes)) < self.plan.twins
        births = homes.iloc[np.maximum.accumulate(np.where(twin, 0, np.arange(len(homes))))]
        each, pieces = {"birth": births, "home": births[~births.index.duplicated()]}, list[pd.DataFrame]()
        for kind, said in self.plan.people.items():
            rows = each[said.each].drop_duplicates(said.of) if said.of else each[said.each]
            rows = rows[self.happens(rows, said)]
            rows = self.draw(rows.assign(kind=kind, number=np.arange(1, len(rows) + 1)), said.facts)
            last = rows[said.until] if said.until else NEVER
            pieces.append(rows.assign(last=np.minimum(last, np.int32(days_of(self.on)))))
        people = pd.concat(pieces, ignore_index=True)
        days = {name for piece in pieces for name in piece.select_dtypes(np.int32)}
        filled = {
            name: NEVER if name in days else "" for name in people if people[name].dtype.kind != "f" or name in days
        }
        return people.fillna(filled).astype(dict.fromkeys(days, np.int32))
