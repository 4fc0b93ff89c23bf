"""What the ministries would have delivered: the files in their order, and the cases planted in them."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from winay.core.ages import day_of, days_of
from winay.core.periods import Month
from winay.programme.load import Programme
from winay.records import tables
from winay.records.invented import plan
from winay.records.invented.care import care_lines
from winay.records.invented.lines import NEVER, lines, save
from winay.records.invented.people import Days, World


class Delivery(NamedTuple):
    """One file as it was delivered: its source, the day it became known, and the month it replaces, if any."""

    source: str
    path: Path
    known_on: date
    replaces: str | None = None


def invent(
    programme: Programme,
    folder: Path,
    on: date,
    seed: int = 7,
    regions: Sequence[str] = (),
    advance: Callable[[float], None] = lambda files: None,
) -> list[Delivery]:
    """Write what would have been delivered up to `on` about the births of the plan's last months; the files in their order.

    regions: codes of places at any level, the plan's own when left out; advance: kinds of file done. Beside the files
    stands planted.csv: case, who, place, day, file, look, name. Same programme, seed and day: the same bytes.
    """
    plans = plan.load(programme)
    made = _Maker(World(programme, plans, on, seed, regions or plans.regions), folder)
    for role in plans.files:
        made.deliver(role, made.told(role))
        advance(1)
    made.send_again()
    made.plant_people()
    pd.DataFrame(made.planted).to_csv(folder / "planted.csv", index=False, lineterminator="\n")
    order = [file.source for file in plans.files.values()]
    return sorted(made.files, key=lambda one: (one.known_on, order.index(one.source), one.path.name))


class _Maker:
    """Writes rows of facts as files of their sources, one for each day of delivery (and month, where the name has one)."""

    def __init__(self, world: World, folder: Path) -> None:
        """first: the first day of the month so many months before ours."""
        self.world, self.folder, self.files, self.planted = world, folder, list[Delivery](), list[dict[str, str]]()
        self.first = [days_of(Month.of(world.on).before(months).first) for months in range(12)]
        self.tables = {"facilities": world.facilities.assign(day=np.int32(0)), "districts": self.divided()}
        self.tables |= {role: self.shown(lines) for role, lines in care_lines(world).items()}
        self.hold_back(self.tables["contacts"])

    def divided(self) -> pd.DataFrame:
        """The district with most people and the one that is made of it: some villages leave on a day."""
        plans, places, people = self.world.plan, self.world.places, self.world.people
        number, day = int(people["at"].mode()[0]), self.first[2]
        old = places.iloc[[number]].assign(since=NEVER, until=NEVER, day=np.int32(day))
        code, beside = old["code"].item(), places["code"][places["parent"] == old["parent"].item()]
        new = str(int(beside.max()) + 1).zfill(len(code))
        self.codes = np.array([*places["code"], new], object)
        left = (people["at"] == number) & people["village"].isin(plans.leaving)
        people["left_day"] = np.where(left, np.int32(day), NEVER)
        self.plant("new district", new, code, day, "places")
        made = {"code": new, "name": plans.new_place, "since": np.int32(day), "predecessors": code}
        made |= dict.fromkeys(tables.code_systems(self.world.programme), "")  # others have no code for it yet
        return pd.concat([old, old.assign(**made)]).rename(columns={"code": "place"})

    def told(self, role: str) -> pd.DataFrame:
        """The rows that a file has, with the facts that are its own."""
        use, world = self.world.plan.files[role], self.world
        if use.days:
            days = world.people[use.days].to_numpy()
            who, which = np.nonzero((days <= world.people[["last"]].to_numpy()) & (days >= days[:, [0]]))
            rows = self.shown(pd.DataFrame({"person": who, "day": days[who, which], "since": days[who, which]}))
        else:
            rows = self.tables[use.of or role]
        if use.once:
            rows = rows.drop_duplicates(use.once).drop(columns=["known", "keyed"], errors="ignore")
        for name, wanted in use.only.items():
            rows = rows[np.isin(world.facts(rows)(name), wanted)]
        return world.draw(rows, use.facts)

    def shown(self, rows: pd.DataFrame) -> pd.DataFrame:
        """With the best document that each person has on the day, and the number a facility gives to who comes with it."""
        kind, number, client = np.array("", object), np.array("", object), rows["person"] * 10
        for place, name in enumerate(reversed(self.world.programme.head.documents), start=1):
            value = self.world.facts(rows)(name)
            kind, number = np.where(value != "", name, kind), np.where(value != "", value, number)
            client = client.mask(value != "", rows["person"] * 10 + place)
        return rows.assign(document_kind=kind, document_number=number, **{self.world.plan.client: client})

    def known(self, role: str, told: Any) -> Days:
        """The day whose delivery brings what was told on a day: in the month after it, never before our first."""
        by = self.world.programme.sources[self.world.plan.files[role].source].by_day or 1
        following = (_months(told) + 1).astype("datetime64[D]").astype(np.int32) + np.int32(by - 1)
        history = self.world.plan.files[role].history or self.world.plan.history
        known: Days = np.maximum(following, np.int32(self.first[history] + 9))
        return known

    def name(self, role: str, day: int) -> str:
        """The usual name of the file of a day's month."""
        use, month = self.world.plan.files[role], str(Month.of(day_of(day)))
        file = self.world.programme.sources[use.source].file
        return file.format(year=month[:4], month=month[5:]) + ".gz" * use.compress

    def deliver(self, role: str, rows: pd.DataFrame, replaces: str | None = None) -> None:
        """Write the rows known up to our day."""
        use, world = self.world.plan.files[role], self.world
        source, monthly = world.programme.sources[use.source], "{month}" in world.programme.sources[use.source].file
        rows = rows if "known" in rows else rows.assign(known=self.known(role, rows.get("keyed", rows["day"])))
        rows = rows[rows["known"] <= days_of(world.on)]
        if "person" in rows:
            home = world.people.iloc[rows["person"]].set_index(rows.index)
            left, moved = (home[day] <= rows["day"] for day in ("left_day", "moved_day"))
            at = home["at"].mask(moved, home["at_later"])
            place = self.codes[at.mask(left & ~moved, len(self.codes) - 1)]
            rows = rows.assign(at=at, place=place, settlement=place + home["village"].to_numpy())
        groups = rows.groupby(["known", _months(rows["day"] if monthly else rows["known"])])
        for number, ((when, _), some) in enumerate(groups, start=1):
            path = self.folder / day_of(when).isoformat() / self.name(role, some["day"].iloc[0])
            table = lines(source, world.facts(some), len(some), use.fill)
            if number == len(groups) and not replaces:
                last = table.slice(len(table) - 1).to_pylist()[0]
                table = pa.concat_tables([table, pa.Table.from_pylist([last | bad for bad in use.bad], table.schema)])
            save(table, path, source.delimiters[number % len(source.delimiters)], mark=number % 3 == 0)
            self.files.append(Delivery(source.source, path, day_of(when), replaces))

    def hold_back(self, lines: pd.DataFrame) -> None:
        """When lines are known: a facility stops reporting, and a network's contacts of one month come two months late."""
        day, stopped, late = lines["day"], self.first[4], self.known("contacts", [self.first[2]])[0]
        provider = pd.Series(self.world.facts(lines)("provider"))
        facilities, used = self.world.facilities.set_index("provider"), provider.value_counts().index
        silent, network = used[len(used) // 5], facilities["network"]
        slow = network[network != ""].mode()[0]
        held = (provider.map(network) == slow) & day.between(stopped, self.first[3] - 1)
        known = pd.Series(self.known("contacts", lines["keyed"]))
        known = known.mask(held, np.maximum(known, late))
        lines["known"] = known.mask((provider == silent) & (day >= stopped), NEVER)
        self.plant("silent", silent, facilities["place"][silent], stopped, "contacts")
        self.plant("late", slow, "", stopped, "contacts", late)

    def send_again(self) -> None:
        """One month of contacts delivered again, whole, but for a few that are gone from it."""
        month, resent, rows = self.first[3], self.first[1] + 12, self.tables["contacts"]
        again = rows["day"].between(month, self.first[2] - 1) & (rows["known"] <= resent) & (rows["contact"] % 150 != 0)
        of = str(Month.of(day_of(month)))
        self.deliver("contacts", rows[again].assign(known=np.int32(resent)), replaces=of)
        self.plant("resent", of, "", month, "contacts", resent)

    def plant_people(self) -> None:
        """Cases of single people are found among the invented: one of those who fit.

        The programme's documents are three, best first: of identity, of birth, and the registry's own.
        """
        on, documents = days_of(self.world.on), self.world.programme.head.documents
        born = self.world.people[self.world.people["kind"] == "child"]
        identified, certified, registered = (born[f"{kind}_day"] for kind in documents)
        papered = (certified < NEVER) & (identified < on - 30)
        settled, twins = papered & (born["moved_day"] == NEVER), born["home"].duplicated(keep=False)
        named = born.duplicated(["at", "surname", "second_surname", "names"], keep=False)
        moved = (born["at"] != born["at_later"]) & born["moved_day"].between(identified, born["last"] - 60)
        fits = {
            "twins": (settled & twins, registered),
            "homonyms": (settled & named & ~twins, registered),
            "undocumented": ((certified > on) & (identified > on), registered),
            "joined": (settled & (identified > certified + 60), registered),
            "moved": (papered & moved, born["moved_day"]),
            "died": (papered & (born["last"] < on - 60), born["last"]),
            "split": (settled & (born["left_day"] < born["last"]) & (registered < self.first[4]), registered),
        }
        for case, (among, days) in fits.items():
            found = born[among & (registered < on - 90)]
            for number, one in found.iloc[len(found) // 2 :].head(1).iterrows():
                self.plant(case, one[documents[-1]], self.codes[one["at"]], days[number], "registry")

    def plant(self, case: str, who: str, place: str, day: int, role: str, known: int | None = None) -> None:
        """List a case. role, known: the delivery that brought it, the next one after the day unless said."""
        known = self.known(role, [day])[0] if known is None else known
        told = self.world.plan.planted[case]
        file = f"{day_of(known)}/{self.name(role, day)}" if known <= days_of(self.world.on) else ""
        look = told.look.format(who=who, place=place, month=str(Month.of(day_of(day))))
        facts = {"case": case, "who": who, "place": place, "day": day_of(day).isoformat()}
        self.planted.append(facts | {"file": file, "look": look, "name": str(told.name)})


def _months(days: Any) -> Any:
    return (np.datetime64("1970-01-01") + np.asarray(days)).astype("datetime64[M]")
