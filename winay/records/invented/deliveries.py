"""What the ministries would have delivered: the files in their order, and the cases planted in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from winay.core.ages import day_of, days_of
from winay.core.periods import Month
from winay.programme.load import Programme
from winay.records import tables
from winay.records.invented import papers, plan
from winay.records.invented.contacts import contact_lines
from winay.records.invented.lines import lines, save
from winay.records.invented.people import NEVER, Days, World, reference, settle


@dataclass(frozen=True)
class Delivery:
    """One file as it was delivered: its source, the day it became known, and the month it replaces, if any."""

    source: str
    path: Path
    known_on: date
    replaces: str | None = None


@dataclass
class Deliveries:
    """The files in the order they were delivered, and what was planted: case, who, place, day, file, look, name."""

    files: list[Delivery] = field(default_factory=list)
    planted: list[dict[str, str]] = field(default_factory=list)


def invent(
    programme: Programme,
    folder: Path,
    on: date,
    seed: int = 7,
    regions: Sequence[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Deliveries:
    """Write what would have been delivered up to `on` about the births of the plan's last months.

    regions: codes of places at any level, the plan's own when left out; progress: kinds of file done, and of how many.
    Beside the files stands planted.csv, the list of what was put in on purpose.
    """
    plans = plan.load(programme)
    made = _Maker(settle(programme, plans, on, seed, regions or plans.regions), folder, progress)
    made.papers()
    made.plant_people()
    made.contacts()
    order = [use.source for use in plans.files.values()]
    made.result.files.sort(key=lambda one: (one.known_on, order.index(one.source), one.path.name))
    pd.DataFrame(made.result.planted).to_csv(folder / "planted.csv", index=False, lineterminator="\n")
    return made.result


@dataclass
class _Maker:
    """Writes tables of rows as files of their sources, one for each day of delivery (and month, where the name has one)."""

    world: World
    folder: Path
    progress: Callable[[int, int], None]
    result: Deliveries = field(default_factory=Deliveries)

    def __post_init__(self) -> None:
        """split: the district that was divided (its number), and the day; codes: of the districts, the new one last."""
        world = self.world
        self.split = int(world.children["at"].mode()[0]), self.first(2)
        around = world.places["code"][world.places["parent"] == world.places["parent"][self.split[0]]]
        self.codes = np.array([*world.places["code"], str(int(around.max()) + 1).zfill(len(around.max()))], object)
        systems = tables.code_systems(world.programme)
        self.systems = {name: dict(zip(self.codes, world.places[name], strict=False)) for name in systems}

    def first(self, months: int) -> int:
        """The first day of the month so many months before ours."""
        return days_of(Month.of(day_of(self.world.on)).before(months).first)

    def known(self, role: str, told: Any) -> Days:
        """The day whose delivery brings what was told on a day: in the month after it, never before our first."""
        by = self.world.programme.sources[self.world.plan.files[role].source].by_day or 1
        following = (_months(told) + 1).astype("datetime64[D]").astype(np.int32) + np.int32(by - 1)
        known: Days = np.maximum(following, np.int32(self.first(self.world.plan.history) + 9))
        return known

    def name(self, role: str, day: int) -> str:
        """The usual name of the file of a day's month."""
        use, month = self.world.plan.files[role], str(Month.of(day_of(day)))
        file = self.world.programme.sources[use.source].file
        return file.format(year=month[:4], month=month[5:]) + ".gz" * use.compress

    def deliver(self, role: str, rows: pd.DataFrame, replaces: str | None = None) -> None:
        """Write the rows known up to our day; without a day `known` it follows from `told`."""
        use, on = self.world.plan.files[role], self.world.on
        source = self.world.programme.sources[use.source]
        if "at" in rows:
            rows = rows.assign(place=self.codes[rows["at"]])
        if "settlement_number" in rows:
            rows["settlement"] = rows["place"] + rows["settlement_number"].map("{:04d}".format)
        days = rows["day"].to_numpy() if "{month}" in source.file else np.zeros(len(rows), np.int32)
        known = rows["known"] if "known" in rows else self.known(role, rows["told"])
        by_file = pd.DataFrame({"known": known, "month": _months(days)}).reset_index(drop=True)
        groups = sorted(by_file[by_file["known"] <= on].groupby(["known", "month"]).groups.items())
        for number, ((when, _), chosen) in enumerate(groups, start=1):
            path = self.folder / day_of(when).isoformat() / self.name(role, days[chosen[0]])
            told = lines(source, rows.iloc[chosen], use.fill, self.systems)
            if number == len(groups) and not replaces:
                told = pa.concat_tables([told, *(_spoiled(told, bad) for bad in use.bad)])
            save(told, path, source.delimiters[number % len(source.delimiters)], mark=number % 3 == 0)
            self.result.files.append(Delivery(source.source, path, day_of(when), replaces))
        self.progress(len({one.source for one in self.result.files}), len(self.world.plan.files))

    def papers(self) -> None:
        """All files but those of contacts."""
        self.deliver("places", self._divided())
        self.deliver("registry", papers.registered(self.world, self.split))
        for role, rows in papers.papers(self.world).items():
            self.deliver(role, rows)

    def contacts(self) -> None:
        """The monthly files of contacts, and the master of their patients."""
        world, rows = self.world, contact_lines(self.world)
        heads = rows.drop_duplicates("contact")[["person", "day"]].reset_index(drop=True)
        who, day = world.people.iloc[heads["person"]].reset_index(drop=True), heads["day"]
        second = (day >= who["identity_day"]) & (who["certificate_day"] < NEVER)
        heads["patient"] = heads["person"] * 2 + 1 + second
        self.deliver("patients", papers.patients(world, heads))
        heads[world.plan.documents["patient"].kind] = heads.pop("patient")
        heads["provider"] = pd.Categorical(who["provider"])
        heads["keyed"] = (day + np.minimum(world.late(world.plan.keyed, len(day)), 30)).astype(np.int32)
        heads["known"] = self._plant_contacts(heads)
        heads = heads.drop(columns=["person", "day"]).iloc[rows["contact"] - 1].reset_index(drop=True)
        rows = pd.concat([rows, heads], axis=1)
        self.deliver("contacts", rows)
        self._send_again(rows)

    def _divided(self) -> pd.DataFrame:
        """The district that was divided, and the one that left it."""
        tree, (number, day) = reference(self.world.programme, "places").set_index("code"), self.split
        old = self.world.places.iloc[[number]].assign(at=number, since=NEVER, until=NEVER)
        new = old.assign(at=len(self.codes) - 1, name=self.world.plan.new_place, since=np.int32(day))
        rows = pd.concat([old, new.assign(predecessors=self.codes[number], **dict.fromkeys(self.systems, ""))])
        region = rows["parent"].map(tree["parent"]).map(tree["name"])
        self._plant("new district", self.codes[-1], number, day, "places")
        return rows.assign(province=rows["parent"].map(tree["name"]), region=region, told=np.int32(day))

    def _plant_contacts(self, heads: pd.DataFrame) -> Days:
        """When contacts are known: a facility stops reporting, and a network's files of one month come two months late."""
        day, stopped, known = heads["day"], self.first(4), self.known("contacts", heads["keyed"])
        providers = self.world.providers.set_index("code")
        used = heads["provider"].value_counts().index
        silent = used[len(used) // 5]
        self._plant("silent", silent, int(providers["at"][silent]), stopped, "contacts")
        known = np.where((heads["provider"] == silent) & (day >= stopped), NEVER, known)
        network, late = providers["network"], int(self.known("contacts", [self.first(2)])[0])
        slow = network[network != ""].mode()[0]
        self._plant("late", slow, None, stopped, "contacts", late)
        held = (heads["provider"].map(network) == slow) & day.between(stopped, self.first(3) - 1)
        return np.where(held, np.maximum(known, late), known).astype(np.int32)

    def _send_again(self, rows: pd.DataFrame) -> None:
        """One month delivered again, whole, but for a few contacts that are gone from it."""
        month, resent = self.first(3), self.first(1) + 12
        again = rows["day"].between(month, self.first(2) - 1) & (rows["known"] <= resent) & (rows["contact"] % 150 != 0)
        of = str(Month.of(day_of(month)))
        self.deliver("contacts", rows[again].assign(known=np.int32(resent)), replaces=of)
        self._plant("resent", of, None, month, "contacts", resent)

    def plant_people(self) -> None:
        """Cases of single people are found among the invented: one of those who fit."""
        table, on = self.world.children, self.world.on
        papered = (table["certificate_day"] < NEVER) & (table["identity_day"] < on - 30)
        settled, twins = papered & (table["moved_day"] == NEVER), table["mother"].duplicated(keep=False)
        named = table.duplicated(["at", "surname", "second_surname", "names"], keep=False)
        left = papers.leaves(self.world, self.split) & (table["birth"] < self.first(self.world.plan.history + 2))
        fits = {
            "twins": settled & twins,
            "homonyms": settled & named & ~twins,
            "undocumented": (table["certificate_day"] > on) & (table["identity_day"] > on),
            "joined": settled & (table["identity_day"] > table["certificate_day"] + 60),
            "moved": papered & table["moved_day"].between(table["identity_day"], on - 60),
            "died": papered & (table["last"] < on - 60),
            "split": settled & left,
        }
        for case, among in fits.items():
            found = table[among & (table["registry_day"] < on - 90)]
            for _, one in found.iloc[len(found) // 2 :].head(1).iterrows():
                day = one[{"moved": "moved_day", "died": "last"}.get(case, "registry_day")]
                self._plant(case, one[self.world.plan.documents["registry"].kind], one["at"], int(day), "registry")

    def _plant(self, case: str, who: str, at: int | None, day: int, role: str, known: int | None = None) -> None:
        """List a case. role, known: the delivery that brought it, the next one after the day unless said."""
        known = int(self.known(role, [day])[0]) if known is None else known
        told, place = self.world.plan.planted[case], "" if at is None else self.codes[at]
        file = f"{day_of(known)}/{self.name(role, day)}" if known <= self.world.on else ""
        look = told.look.format(who=who, place=place, month=str(Month.of(day_of(day))))
        facts = {"case": case, "who": who, "place": place, "day": day_of(day).isoformat()}
        self.result.planted.append(facts | {"file": file, "look": look, "name": str(told.name)})


def _months(days: Any) -> Any:
    return (np.datetime64("1970-01-01") + np.asarray(days)).astype("datetime64[M]")


def _spoiled(lines: pa.Table, bad: dict[str, str]) -> pa.Table:
    """The last line with some of its cells replaced: a row that must be refused."""
    row = lines.slice(len(lines) - 1)
    for name, text in bad.items():
        row = row.set_column(row.schema.get_field_index(name), name, pa.array([text]))
    return row
