"""The papers of invented people, one row a line of a file.

In every table a column of int32 is a day (NEVER: none); `told` is the day that a delivery after it brings the row.
"""

import numpy as np
import pandas as pd

from winay.records.invented.people import ALWAYS, NEVER, World

GROWN = np.int32(26 * 365)
"""How old mothers are, in days."""


def papers(world: World) -> dict[str, pd.DataFrame]:
    """What is written once of somebody or something, by role of the file."""
    born, identity = world.children, world.plan.documents["identity"].kind
    registry = world.plan.documents["registry"].kind
    since = (born["birth"] + world.dice.integers(60, 400, len(born))).astype(np.int32)
    used = world.happens(born, world.plan.users) & (born["identity_day"] < since) & (since < born["last"])
    died = (born["last"] < world.on) & (born["registry_day"] < NEVER)
    return {
        "facilities": world.providers.rename(columns={"code": "provider"}).assign(told=ALWAYS),
        "certificates": under(born, identity, "mother_document").assign(told=born["certificate_day"]),
        "identity": born.assign(day=born["identity_day"], told=born["identity_day"]),
        "users": under(born, identity, identity).assign(since=since, until=NEVER, told=since)[used],
        "exits": under(born, registry, registry).assign(day=born["last"], kind="died", told=born["last"])[died],
    }


def under(rows: pd.DataFrame, kind: str, column: str) -> pd.DataFrame:
    """The rows with the document that they are delivered under."""
    return rows.assign(document_kind=kind, document_number=rows[column])


def leaves(world: World, split: tuple[int, int]) -> pd.Series:
    """Which children's homes left a district (its number; the day) when it was divided: its last third of settlements."""
    table = world.children
    return (table["at"] == split[0]) & (table["settlement_number"] > world.plan.settlements * 2 // 3)


def registered(world: World, split: tuple[int, int]) -> pd.DataFrame:
    """The registry's rows as they were written again: with the document, after a move, after the split."""
    table, left = world.children, leaves(world, split)
    divided = np.where(left, split[1], NEVER)
    days = np.column_stack([table["registry_day"], table["identity_day"], table["moved_day"], divided])
    who, cause = np.nonzero((days <= table[["last"]].to_numpy()) & (days >= days[:, [0]]))
    rows = table.iloc[who].assign(told=days[who, cause])
    gone = left.iloc[who] & (rows["told"] >= split[1])
    rows["at"] = rows["at"].mask(gone, len(world.places)).mask(rows["moved_day"] <= rows["told"], rows["at_later"])
    for role in ("certificate", "identity"):
        kind = world.plan.documents[role].kind
        rows[kind] = rows[kind].where(rows[f"{role}_day"] <= rows["told"], "")
    return rows


def patients(world: World, heads: pd.DataFrame) -> pd.DataFrame:
    """The patient master: a number under the certificate, and another opened once there is an identity document.

    heads: contacts in order of day, with `person` and `patient` (odd: the first number of somebody).
    """
    certificate, identity = (world.plan.documents[role].kind for role in ("certificate", "identity"))
    opened = heads.drop_duplicates("patient")
    rows = world.people.iloc[opened["person"]].reset_index(drop=True)
    first = (opened["patient"] % 2 == 1).to_numpy() & (rows["certificate_day"] < NEVER)
    had = rows["certificate_day"].where(first, rows["identity_day"])
    rows[world.plan.documents["patient"].kind] = opened["patient"].to_numpy()
    return rows.assign(
        document_kind=np.where(first, certificate, identity),
        document_number=rows[certificate].where(first, rows[identity]),
        told=np.maximum(had, opened["day"].to_numpy()),
        birth=rows["birth"].mask(rows["kind"] != "child", rows["birth"] - GROWN),
    )
