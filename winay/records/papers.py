"""The papers of invented people: documents, registry rows, patient numbers, spells, exits; one row a line of a file.

In every table a column of int32 is a day (NEVER: none); `told` is the day that a delivery after it brings the row.
"""

import numpy as np
import pandas as pd

from winay.records.world import NEVER, Days, Ints, World, concerned, happens, late

CHANGES = 20
"""An identity document, a move or a new district reaches the registry within so many days."""


def complete(world: World) -> None:
    """Give each child its documents and their days, names, facilities, and perhaps a move."""
    plan, people, mothers = world.plan, world.children, len(world.pregnancies.table)
    table, birth, size = people.table, people.days("birth"), len(people.table)
    for role in ("registry", "certificate", "identity"):
        paper, dice = plan.documents[role], world.dice("paper", role)
        day = birth + late(dice, paper.delay, size)
        had = happens(world, people, paper, dice, family=0.3) & (day <= table["last"].to_numpy())
        table[f"{role}_day"] = np.where(had, day, NEVER).astype(np.int32)
        table[paper.kind] = [paper.form.format(number) for number in range(1, size + 1)]
    mother, dice = table["mother_number"].to_numpy(), world.dice("names")
    table["mother"] = [plan.documents["mother"].form.format(number + 1) for number in mother]
    for name in ("surname", "mother_surname", "mother_names"):
        table[name] = np.array(plan.family_names, object)[dice.integers(0, len(plan.family_names), mothers)][mother]
    table["second_surname"], given = table["mother_surname"], dice.random(size)
    names = {
        kind: np.array(words, object)[(given * len(words)).astype(int)] for kind, words in plan.given_names.items()
    }
    table["names"] = np.select([table[plan.named_by] == kind for kind in names], list(names.values()))
    dice = world.dice("homes")
    table["settlement_number"] = dice.integers(1, plan.settlements + 1, mothers)[mother]
    born_at = facility(world, table["at"].to_numpy(), plan.birth_categories, dice)
    table["born_at"] = np.where(concerned(people, plan.birth_at), born_at, -1)
    table["birth_facility"] = np.where(table["born_at"] >= 0, world.providers["code"].to_numpy()[born_at], "")
    births = world.places["age_0"].astype(float)
    table["at_later"] = dice.choice(len(births), size, p=births / births.sum())
    away = birth + dice.random(size) * (people.days("last") - birth)
    moved = (dice.random(size) < plan.moves) & (table["at_later"] != table["at"])
    table["moved_day"] = np.where(moved, away, NEVER).astype(np.int32)
    table["renewed"] = dice.random(size) < plan.renewed


def facility(world: World, place: Ints, weights: dict[str, float], dice: np.random.Generator) -> Ints:
    """A facility for each: of its own district, else of those around it, by the weight of its category (none: never)."""
    weight = world.providers["category"].map(weights).fillna(0).to_numpy()
    at, parent = world.providers["at"].to_numpy(), world.places["parent"].to_numpy()
    found = np.zeros(len(place), np.int64)
    for one in np.unique(place):
        near = [weight * (at == one), weight * (parent[at] == parent[one]), weight, np.ones(len(at))]
        share = next(choice for choice in near if choice.sum() > 0)
        found[place == one] = dice.choice(len(at), (place == one).sum(), p=share / share.sum())
    return found


def registry_rows(world: World, split: tuple[int, int]) -> pd.DataFrame:
    """The registry's rows as they were written again: with the document, after a move, after the split.

    split: the number of the district that was divided, and the day; its last third of settlements left it.
    """
    table, dice = world.children.table, world.dice("registry")
    leaves = table["settlement_number"] > world.plan.settlements * 2 // 3
    divided = np.where((table["at"] == split[0]) & leaves, split[1], NEVER)
    causes = [table["registry_day"], table["identity_day"], table["moved_day"], divided]
    days = np.column_stack(causes)
    days[:, 1:] += dice.integers(0, CHANGES, (len(table), 3))
    who, which = np.nonzero((days <= table["last"].to_numpy()[:, None]) & (days >= days[:, [0]]))
    rows = table.iloc[who].reset_index(drop=True).assign(modified=days[who, which].astype(np.int32))
    rows["told"], rows["created"] = rows["modified"], rows["registry_day"]
    rows["at"] = rows["at"].mask(rows["moved_day"] <= rows["modified"], rows["at_later"])
    gone = (rows["at"] == split[0]) & leaves.to_numpy()[who] & (rows["modified"] >= split[1])
    rows["at"] = rows["at"].mask(gone, len(world.places))
    for role in ("certificate", "identity"):
        kind = world.plan.documents[role].kind
        rows[kind] = rows[kind].where(rows[f"{role}_day"] <= rows["modified"], "")
    return rows.sort_values("modified", kind="stable", ignore_index=True)


def with_document(world: World, rows: pd.DataFrame, day: Days | pd.Series, roles: tuple[str, ...]) -> pd.DataFrame:
    """Adds the kind and number of the document each has on its day: the last of the roles it has; blank without any."""
    rows = rows.assign(document_kind="", document_number="")
    for role in roles:
        paper, had = world.plan.documents[role].kind, rows[f"{role}_day"] <= day
        rows["document_kind"] = rows["document_kind"].mask(had, paper)
        rows["document_number"] = rows["document_number"].mask(had, rows[paper])
    return rows


def user_rows(world: World) -> pd.DataFrame:
    """Spells in the social programme: one row when it opens, another when it closes."""
    dice, people = world.dice("users"), world.children
    size, last = len(people.table), people.days("last")
    since = (people.days("birth") + dice.integers(20, 400, size)).astype(np.int32)
    until = np.where(dice.random(size) < 0.15, since + dice.integers(40, 300, size), NEVER).astype(np.int32)
    rows = people.table.assign(since=since, until=NEVER, told=since)[
        happens(world, people, world.plan.users, dice) & (since < last)
    ]
    closed = rows.assign(until=until[rows.index], told=until[rows.index])
    rows = pd.concat([rows, closed[closed["until"] < closed["last"]]], ignore_index=True)
    rows = with_document(world, rows, rows["since"], ("certificate", "identity"))
    return rows[rows["document_kind"] != ""]


def patient_rows(world: World, person: Ints, day: Days) -> tuple[Ints, pd.DataFrame]:
    """The patient number of each contact (in order of day), and the rows of the patient master.

    A number is opened at the first contact with the document of that day; without one, the row is written again when
    the identity document comes. Some get a second number under it instead of keeping the first.
    """
    table, identity = world.children.table, world.plan.documents["identity"].kind
    renewed = np.where(table["renewed"], table["identity_day"] + 10, NEVER)
    renewed = np.r_[renewed, np.full(len(world.pregnancies.table), NEVER)]
    number = person * 2 + 1 + (day > renewed[person])
    patient = world.plan.documents["patient"].kind
    opened = pd.DataFrame({patient: number, "person": person, "told": day}).drop_duplicates(patient)
    rows = opened.merge(table, left_on="person", right_index=True)
    rows = with_document(world, rows, rows["told"] + 5, ("certificate", "identity"))  # the certificate of a birth in progress
    again = rows[(rows["document_kind"] == "") & (rows["identity_day"] < NEVER)]
    again = again.assign(told=again["identity_day"], document_kind=identity, document_number=again[identity])
    mothers = table.drop_duplicates("mother_number").set_index(np.arange(len(world.pregnancies.table)) + len(table))
    grown = opened.merge(mothers, left_on="person", right_index=True)
    grown["names"], grown["surname"], grown["document_number"] = (
        grown["mother_names"],
        grown["mother_surname"],
        grown["mother"],
    )
    grown = grown.assign(
        document_kind=world.plan.documents["mother"].kind, birth=grown["birth"] - np.int32(9000 + 7 * 365)
    )
    grown[world.plan.named_by] = next(iter(world.plan.given_names))
    return number, pd.concat([rows, again, grown], ignore_index=True)


def exit_rows(world: World) -> pd.DataFrame:
    """Those who died, as the registry tells it some weeks later."""
    table = world.children.table
    died = table[(table["last"] < world.on) & (table["registry_day"] < NEVER)]
    told = died["last"] + 10 + late(world.dice("exits"), world.plan.keyed, len(died))
    died = died.assign(day=died["last"], kind="died", told=told.astype(np.int32))
    return with_document(world, died, died["last"], ("registry", "certificate", "identity"))
