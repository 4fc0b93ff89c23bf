"""The papers of invented people: documents, registry rows, patient numbers, enrolments, exits; one row a line of a file.

In every table a column of int32 is a day (NEVER: none), and `known` the day whose delivery brings the row.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from winay.records.world import NEVER, Days, Floats, Ints, World, concerned, happens, late


def children(world: World) -> pd.DataFrame:
    """One row a child: what is drawn, its documents and their days, names, facilities, moves."""
    plan, people = world.plan, world.children
    table = pd.DataFrame({"birth": people.birth, "at": people.place, "mother_number": world.mother})
    for name, (codes, words) in people.options.items():
        table[name] = np.array(words, object)[codes]
    for name, values in people.numbers.items():
        table[name] = values.astype(np.int64)
    for role in ("registry", "certificate", "identity"):
        paper, dice = plan.documents[role], world.dice("paper", role)
        day = people.birth + late(dice, paper.delay, len(people))
        had = happens(world, people, paper, dice, family=0.3) & (day <= people.last)
        table[f"{role}_day"] = np.where(had, day, NEVER).astype(np.int32)
        table[paper.kind] = [paper.form.format(number) for number in range(1, len(people) + 1)]
    mothers = plan.documents["mother"]
    table["mother"] = [mothers.form.format(number + 1) for number in world.mother]
    dice = world.dice("names")
    family = np.array(plan.family_names, object)
    of_mother = dice.integers(0, len(family), (3, len(world.pregnancies)))
    table["surname"], table["second_surname"] = family[of_mother[0]][world.mother], family[of_mother[1]][world.mother]
    table["mother_surname"] = table["second_surname"]
    table["names"] = ""
    for sex, given in plan.given_names.items():
        drawn = pd.Series(np.array(given, object)[dice.integers(0, len(given), len(table))])
        table["names"] = table["names"].mask(table[plan.named_by] == sex, drawn)
    table["mother_names"] = family[of_mother[2]][world.mother]
    dice = world.dice("homes")
    table["settlement_number"] = dice.integers(1, plan.settlements + 1, len(world.pregnancies))[world.mother]
    born_at = facility(world, people.place, plan.birth_categories, dice)
    table["born_at"] = np.where(concerned(people, plan.birth_at), born_at, -1)
    table["birth_facility"] = np.where(table["born_at"] >= 0, codes_of(world)[born_at], "")
    table["home_facility"] = facility(world, people.place, plan.categories, dice)
    moved = dice.random(len(people)) < plan.moves
    weights = world.places["age_0"].astype(float).to_numpy()
    table["at_later"] = dice.choice(len(weights), len(people), p=weights / weights.sum())
    away = people.birth + (dice.random(len(people)) * (people.last - people.birth)).astype(np.int32)
    table["moved_day"] = np.where(
        moved & (table["at_later"] != table["at"]) & (away < people.last), away, NEVER
    ).astype(np.int32)
    table["renewed"] = dice.random(len(people)) < plan.renewed
    table["last"] = people.last
    return table


def codes_of(world: World) -> NDArray[np.object_]:
    return np.array(world.providers["code"].tolist(), object)


def facility(world: World, place: Ints, weights: dict[str, float], dice: np.random.Generator) -> Ints:
    """A facility for each: of its own district, else of those around it, by the weight of its category (0: none)."""
    weight = world.providers["category"].map(weights).fillna(0).to_numpy()
    at = world.providers["at"].to_numpy()
    parent = world.places["parent"].to_numpy()
    found = np.zeros(len(place), np.int64)
    for one in np.unique(place):
        near = [at == one, parent[at] == parent[one], np.ones(len(at), bool)]
        good = next(
            (np.flatnonzero(here & (weight > 0)) for here in near if (here & (weight > 0)).any()), np.arange(len(at))
        )
        share = weight[good] + 1e-9
        mine = np.flatnonzero(place == one)
        found[mine] = dice.choice(good, len(mine), p=share / share.sum())
    return found


def registry_rows(world: World, table: pd.DataFrame, split: tuple[int, int]) -> pd.DataFrame:
    """The registry's rows as they changed: when written, with the document, after a move, after the split.

    split: the number of the district that was divided and the day; the settlements of its last third left it.
    """
    dice = world.dice("registry")
    size = len(table)
    leaves = (table["settlement_number"] > world.plan.settlements * 2 // 3).to_numpy()
    days = [table["registry_day"], table["identity_day"] + late(dice, world.plan.keyed, size)]
    days += [table["moved_day"] + late(dice, world.plan.keyed, size)]
    divided = (table["at"].to_numpy() == split[0]) & leaves
    days += [np.where(divided, split[1] + dice.integers(0, 45, size), NEVER).astype(np.int32)]
    events = np.column_stack([np.asarray(day, np.int32) for day in days])
    first = events[:, [0]]
    who, which = np.nonzero((events < np.minimum(table["last"].to_numpy()[:, None] + 1, NEVER)) & (events >= first))
    rows = table.iloc[who].reset_index(drop=True)
    rows["modified"] = events[who, which].astype(np.int32)
    rows["created"] = rows["registry_day"]
    rows["at"] = np.where(rows["moved_day"] <= rows["modified"], rows["at_later"], rows["at"])
    gone = (rows["at"] == split[0]) & leaves[who] & (rows["modified"] >= split[1])
    rows["at"] = rows["at"].mask(gone, len(world.places))
    for role in ("certificate", "identity"):
        kind = world.plan.documents[role].kind
        rows[kind] = rows[kind].where(rows[f"{role}_day"] <= rows["modified"], "")
    return rows


def document(world: World, table: pd.DataFrame, day: Days | pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Kind and number of the best document each has on its day; the registry's own number where it has none."""
    kind, number = np.full(len(table), ""), np.full(len(table), "", object)
    for role in ("registry", "certificate", "identity"):
        paper, had = world.plan.documents[role].kind, (table[f"{role}_day"] <= day).to_numpy()
        kind, number = np.where(had, paper, kind), np.where(had, table[paper], number)
    return kind, number


def user_rows(world: World, table: pd.DataFrame) -> pd.DataFrame:
    """Spells in the social programme: one row when it opens, another when it closes."""
    dice, people = world.dice("users"), world.children
    since = people.birth + dice.integers(20, 400, len(people)).astype(np.int32)
    left = np.where(dice.random(len(people)) < 0.15, since + dice.integers(40, 300, len(people)), NEVER).astype(
        np.int32
    )
    used = happens(world, people, world.plan.users, dice) & (since < people.last)
    rows = table.assign(since=since, until=NEVER, told=since)
    closed = rows.assign(until=left, told=left)[used & (left < people.last)]
    rows = pd.concat([rows[used], closed], ignore_index=True)
    rows["document_kind"], rows["document_number"] = document(world, rows, rows["since"])
    papers = (world.plan.documents["certificate"].kind, world.plan.documents["identity"].kind)
    return rows[rows["document_kind"].isin(papers)].astype({"since": np.int32, "until": np.int32, "told": np.int32})


def patient_rows(world: World, table: pd.DataFrame, person: Ints, day: Days) -> tuple[Ints, pd.DataFrame]:
    """The patient number of each contact, and the rows of the patient master.

    A number is opened at the first contact with the document of that day; without one, the row is written again when
    the identity document comes. Some get a second number under it instead of keeping the first.
    """
    size = len(table)
    renewed = np.zeros(size + len(world.pregnancies), bool)
    renewed[:size] = table["renewed"]
    issued = np.full(len(renewed), NEVER, np.int32)
    issued[:size] = table["identity_day"]
    patient = world.plan.documents["patient"].kind
    number = person * 2 + 1 + (renewed[person] & (day > issued[person] + 10))
    opened = pd.DataFrame({"number": number, "person": person, "told": day}).groupby("number", as_index=False).first()
    child = opened[opened["person"] < size].reset_index(drop=True)
    rows = table.iloc[child["person"]].reset_index(drop=True).assign(**{patient: child["number"]}, told=child["told"])
    rows["document_kind"], rows["document_number"] = document(world, rows, rows["told"])
    without = rows["document_kind"].isin(["", world.plan.documents["registry"].kind])
    rows.loc[without, ["document_kind", "document_number"]] = ""
    again = rows[without & (rows["identity_day"] < NEVER)]
    identity = world.plan.documents["identity"].kind
    again = again.assign(told=again["identity_day"], document_kind=identity, document_number=again[identity])
    mothers = opened[opened["person"] >= size]
    last_child = pd.Series(np.arange(size), index=table["mother_number"]).groupby(level=0).last()
    of = table.iloc[last_child.loc[mothers["person"] - size]].reset_index(drop=True)
    grown = of.assign(
        **{patient: mothers["number"].to_numpy()}, told=mothers["told"].to_numpy(), names=of["mother_names"]
    )
    grown = grown.assign(surname=of["mother_surname"], document_kind=world.plan.documents["mother"].kind)
    grown = grown.assign(document_number=of["mother"], birth=of["birth"] - 365 * 25, **{world.plan.named_by: "F"})
    rows = pd.concat([rows, again, grown], ignore_index=True)
    return number, rows.astype({"told": np.int32, "birth": np.int32})


def exit_rows(world: World, table: pd.DataFrame) -> pd.DataFrame:
    """Those who died, as the registry tells it some weeks later."""
    died = table[(table["last"] < world.on) & (table["registry_day"] < NEVER)].reset_index(drop=True)
    kind, number = document(world, died, died["last"])
    told = died["last"] + late(world.dice("exits"), world.plan.keyed, len(died)) + 10
    return died.assign(
        day=died["last"], kind="died", document_kind=kind, document_number=number, told=told.astype(np.int32)
    )


def keyed(world: World, days: Days, share: Floats) -> Days:
    return (days + np.minimum(world.plan.keyed.median * np.exp(world.plan.keyed.sigma * share), 200)).astype(np.int32)
