"""Invented people: where and when they are born, to whom, what they are like and which documents they come to have."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from winay.core.ages import Age, days_of
from winay.programme.load import Programme
from winay.records.invented.plan import Chance, Plan

Days = NDArray[np.int32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
NEVER = np.int32(2**24)
"""A day that never comes: later than any other, and far from the end of int32."""
ALWAYS = np.int32(0)
"""The day from which those have something who had it before our time."""


@dataclass
class World:
    """The districts asked for, their facilities and the people; days are int32 from 1970-01-01, other whole numbers int64.

    people: one row a person, children first, then the pregnancies they were born of (`mother` is the row of it): `birth`
    (of the child, also in the pregnancy's row), `at` (the number of its district), `family` (log-odds that household and
    district add to all that happens), `last` (no record after that day), `ROLE_day` of each document, and what
    `demo.yaml` draws.
    """

    programme: Programme
    plan: Plan
    on: int
    dice: np.random.Generator
    places: pd.DataFrame
    providers: pd.DataFrame
    people: pd.DataFrame = field(init=False)

    @property
    def children(self) -> pd.DataFrame:
        return self.people[self.people["kind"] == "child"]

    def happens(self, people: pd.DataFrame, chance: Chance) -> Flags:
        """To whom it happens, by its share and by family."""
        odds = np.log(chance.share / (1 - chance.share)) + people["family"].to_numpy()
        happened: Flags = concerned(people, chance) & (self.dice.random(len(people)) < 1 / (1 + np.exp(-odds)))
        return happened

    def late(self, median: float, size: int) -> Floats:
        """Days, log-normal."""
        late: Floats = median * np.exp(self.plan.spread * self.dice.normal(size=size))
        return late

    def facilities(self, at: Ints, weights: Mapping[str, float]) -> Ints:
        """A facility for each: of its own district, else of those around it, else any, by the weight of its category."""
        weight = self.providers["category"].map(weights).fillna(0).to_numpy()
        there, parent = self.providers["at"].to_numpy(), self.places["parent"].to_numpy()
        found = np.zeros(len(at), np.int64)
        for place in np.unique(at):
            near = (weight * (there == place), weight * (parent[there] == parent[place]), weight + 1e-9)
            share = next(one for one in near if one.any())
            found[at == place] = self.dice.choice(len(there), (at == place).sum(), p=share / share.sum())
        return found


def concerned(people: pd.DataFrame, chance: Chance) -> Flags:
    """Whom a chance is about."""
    about = np.ones(len(people), bool)
    for name, wanted in chance.only.items():
        about &= people[name].isin(wanted).to_numpy()
    return about


def reference(programme: Programme, name: str) -> pd.DataFrame:
    """A table that ships with the programme, as text; blank where it says nothing."""
    return pd.read_csv(programme.path / "reference" / f"{name}.csv.gz", dtype=str, keep_default_na=False)


def settle(programme: Programme, plan: Plan, on: date, seed: int, regions: Collection[str]) -> World:
    """The world with its people. `regions` are codes of places at any level."""
    tree, inside, dice = reference(programme, "places"), set(regions), np.random.default_rng(seed)
    for code, parent in zip(tree["code"], tree["parent"], strict=True):  # a place stands after the one it lies in
        inside |= {code} if parent in inside else set()
    tree = tree[(tree["level"] == programme.head.levels[-1]) & (tree["until"] == "") & tree["code"].isin(inside)]
    places = tree.merge(reference(programme, "population").rename(columns={"place": "code"}), on="code")
    providers = reference(programme, "providers")
    providers["at"] = providers["place"].map({code: number for number, code in enumerate(places["code"])})
    for name, wanted in plan.facilities.items():
        providers = providers[providers[name].isin(wanted)]
    providers = providers.dropna(subset="at").astype({"at": np.int64}).reset_index(drop=True)
    world = World(programme, plan, days_of(on), dice, places, providers)
    world.people = _people(world, _households(world, _births(world, on)))
    _documents(world)
    return world


def _births(world: World, on: date) -> pd.DataFrame:
    """District and day of each birth, from the estimates (those of age k were born k years ago)."""
    pieces = []
    for year in range(world.plan.months // 12):
        expected = world.places[f"age_{year}"].astype(float).to_numpy()
        at = np.repeat(np.arange(len(expected)), np.floor(expected + world.dice.random(len(expected))).astype(int))
        first, last = (days_of(Age(-12 * (year + back)).after(on)) for back in (1, 0))
        day = first + 1 + world.dice.integers(0, last - first, len(at))
        pieces.append(pd.DataFrame({"at": at, "birth": day.astype(np.int32)}))
    return pd.concat(pieces).sort_values(["at", "birth"], ignore_index=True)


def _households(world: World, births: pd.DataFrame) -> pd.DataFrame:
    """One row a birth, with all that a child has of its home: a twin has the row of the child before it."""
    plan, dice, size = world.plan, world.dice, len(births)
    known = world.places[list(plan.by)].apply(pd.to_numeric, errors="coerce")
    place = ((known - known.mean()) / known.std()).fillna(0) @ list(plan.by.values())
    place += plan.place * dice.normal(size=len(place))
    family = place.to_numpy()[births["at"]] + plan.family * dice.normal(size=size)
    homes = births.assign(family=family, settlement_number=dice.integers(1, plan.settlements + 1, size))
    for name, shares in plan.options.items():
        homes[name] = dice.choice(list(shares), size, p=np.array(list(shares.values())) / sum(shares.values()))
    homes["at_later"] = dice.permutation(homes["at"])
    moves = (dice.random(size) < plan.moves) & (homes["at"] != homes["at_later"])
    homes["moved_day"] = np.where(moves, homes["birth"] + dice.integers(30, 400, size), NEVER).astype(np.int32)
    codes = world.providers["code"].to_numpy()
    homes["provider"] = codes[world.facilities(homes["at"].to_numpy(), plan.categories)]
    born_in = codes[world.facilities(homes["at"].to_numpy(), plan.birth_categories)]
    homes["birth_facility"] = np.where(concerned(homes, plan.documents["certificate"]), born_in, "")
    for name in ("surname", "second_surname"):
        homes[name] = dice.choice(plan.family_names, size)
    twin = dice.random(size) < plan.twins
    twin[:1] = False
    return homes.iloc[np.maximum.accumulate(np.where(twin, 0, np.arange(size)))]


def _people(world: World, children: pd.DataFrame) -> pd.DataFrame:
    """The children and the pregnancies they were born of, with their names."""
    plan, dice, size = world.plan, world.dice, len(children)
    first = ~children.index.duplicated()
    died = np.where(dice.random(size) < plan.deaths, children["birth"] + dice.exponential(60, size), NEVER)
    pregnancies = children[first].assign(kind="pregnancy", last=children["birth"][first])
    pregnancies["surname"], pregnancies[plan.named_by] = pregnancies["second_surname"], next(iter(plan.given_names))
    children = children.assign(kind="child", last=np.minimum(died, world.on).astype(np.int32))
    people = pd.concat([children, pregnancies], ignore_index=True)
    people["mother"] = size + np.r_[np.cumsum(first) - 1, np.arange(len(pregnancies))]
    picked = dice.random(len(people))
    for kind, words in plan.given_names.items():
        named = people[plan.named_by] == kind
        people.loc[named, "names"] = np.array(words, object)[(picked[named] * len(words)).astype(int)]
    return people


def _documents(world: World) -> None:
    """Numbers, and the days on which they came; mothers have had their identity document for long."""
    people, child, size = world.people, world.people["kind"] == "child", len(world.people)
    for role, paper in world.plan.documents.items():
        day = (people["birth"] + world.late(paper.late, size)).astype(np.int32)
        had = world.happens(people, paper) & child & (day <= people["last"])
        people[f"{role}_day"] = day.where(had, NEVER)
        people[paper.kind] = [paper.form.format(number) for number in range(1, size + 1)]
    people["identity_day"] = people["identity_day"].where(child, ALWAYS)
    mothers = people.iloc[people["mother"]]
    people["mother_names"] = mothers["names"].to_numpy()
    people["mother_document"] = mothers[world.plan.documents["identity"].kind].to_numpy()
