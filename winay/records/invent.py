"""Invented ministry files: the programme's declarations read backwards, so that no country is written in Python.

`demo.yaml` says how often and how late, the standards when something is owed, the services by which codes it is proved,
the sources what a file looks like. Same programme, seed and day: the same bytes.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from winay.core.ages import day_of, days_of
from winay.core.periods import Month
from winay.programme.load import Programme
from winay.records import backwards, papers
from winay.records.contacts import contact_lines
from winay.records.plan import read_plan
from winay.records.world import NEVER, Days, World, cared_for, reference, settle

BASE = np.datetime64("1970-01-01")
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Delivery:
    """One file as it was delivered: its source, the day it became known, and the month it replaces, if any."""

    source: str
    path: Path
    known_on: date
    replaces: str | None = None


@dataclass(frozen=True)
class Case:
    """Something planted: which case, whom or what it is about, where and when, the file, and how to look at it."""

    case: str
    who: str
    place: str
    day: str
    file: str
    look: str


@dataclass
class Deliveries:
    """The files in the order they were delivered, what was planted, and how many people and lines there are."""

    files: list[Delivery] = field(default_factory=list)
    planted: list[Case] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def invent(
    programme: Programme,
    folder: Path,
    on: date,
    seed: int = 7,
    regions: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Deliveries:
    """Write what the ministries would have delivered up to `on` about the births of the plan's last months.

    regions: codes of places at any level, the plan's own when left out. Beside the files stands planted.csv, the list of
    what was put in on purpose.
    """
    plan = read_plan(programme)
    world = settle(programme, plan, on, seed, regions or plan.regions)
    made = _Maker(world, Path(folder), progress or (lambda what, done, total: None))
    table = papers.children(world)
    made.plant(table)
    given = cared_for(world)
    made.people(table)
    made.contacts(table, contact_lines(world, given))
    made.result.files.sort(key=lambda one: (one.known_on, made.order[one.source], one.path.name))
    made.list_planted(table)
    return made.result


@dataclass
class _Maker:
    """Writes tables of rows as files of their sources, one for each day of delivery (and month, where the name has one)."""

    world: World
    folder: Path
    progress: Progress
    result: Deliveries = field(default_factory=Deliveries)
    chosen: list[tuple[str, int]] = field(default_factory=list)
    cases: list[tuple[str, str, int | None, int, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.on = day_of(self.world.on)
        self.order = {use.source: number for number, use in enumerate(self.world.plan.files.values())}
        self.start = days_of(Month.of(self.on).before(self.world.plan.history).first) + 10
        regions = self.world.places["code"].tolist()
        born = np.bincount(self.world.children.place, minlength=len(regions))
        last = self.world.places["parent"].str[:] == self.world.places["parent"].iloc[-1]
        self.split = (int(np.argmax(np.where(last, born, -1))), days_of(Month.of(self.on).before(8).first))
        siblings = [code for code in regions if code.startswith(self.world.places["parent"].iloc[-1])]
        self.codes = [*regions, str(int(max(siblings)) + 1).zfill(len(regions[0]))]
        theirs = self.world.places["reniec"].tolist()
        self.systems = {"reniec": dict(zip(self.codes, [*theirs, theirs[self.split[0]]], strict=True))}

    def known(self, role: str, told: Days) -> Days:
        """The day whose delivery brings what was told on a day: in the month after it, never before our first."""
        by = self.world.programme.sources[self.world.plan.files[role].source].by_day or 10
        following = (BASE + np.minimum(told, NEVER)).astype("datetime64[M]") + 1
        return np.maximum(following.astype("datetime64[D]").astype(np.int64) + by - 1, self.start).astype(np.int32)

    def deliver(
        self, role: str, rows: pd.DataFrame, known: Days, day: Days | None = None, replaces: Month | None = None
    ) -> None:
        """Write the rows known up to our day. `day`: the one whose month is in the name of the file."""
        use = self.world.plan.files[role]
        source = self.world.programme.sources[use.source]
        monthly = "{month}" in source.file
        month = (
            (BASE + day).astype("datetime64[M]").astype(np.int64)
            if monthly and day is not None
            else np.zeros(len(known), int)
        )
        wanted = np.flatnonzero(known <= self.world.on)
        groups = pd.DataFrame({"known": known[wanted], "month": month[wanted]}).groupby(["known", "month"]).indices
        for number, ((when, number_of_month), chosen) in enumerate(sorted(groups.items()), start=1):
            of = str(np.datetime64(int(number_of_month), "M"))
            name = source.file.format(year=of[:4], month=of[5:])
            path = self.folder / day_of(when).isoformat() / (name + (".gz" if use.compress else ""))
            lines = backwards.lines(source, self.facts(rows.iloc[wanted[chosen]]), use.fill, self.systems)
            if number == len(groups) and not replaces:
                lines = pa.concat_tables([lines, *(_spoiled(lines, bad) for bad in use.bad)])
            backwards.save(
                lines, path, source.delimiters[number % len(source.delimiters)], mark=monthly and number % 3 == 0
            )
            self.result.files.append(Delivery(source.source, path, day_of(when), str(replaces) if replaces else None))
            self.result.counts[source.source] = self.result.counts.get(source.source, 0) + len(lines)
            self.progress(source.source, number, len(groups))

    def facts(self, rows: pd.DataFrame) -> dict[str, pa.Array]:
        """Columns as Arrow; int32 are days, blank text is nothing, `at` becomes the code of a place."""
        facts = {}
        for name, values in rows.items():
            if values.dtype == np.int32:
                days = values.to_numpy()
                facts[str(name)] = pa.array(days, mask=days >= NEVER).cast(pa.date32())
            elif values.dtype.kind in "bif":
                facts[str(name)] = pa.array(values.to_numpy(), from_pandas=True)
            else:
                coded = pd.Categorical(values)
                facts[str(name)] = pa.DictionaryArray.from_arrays(
                    pa.array(coded.codes, mask=coded.codes < 0),
                    pa.array(coded.categories.to_numpy(object), pa.string()),
                )
        if "at" in rows:
            codes = np.array(self.codes, object)
            facts["place"] = pa.array(codes[rows["at"]])
            facts["settlement"] = pa.array(
                codes[rows["at"]] + rows["settlement_number"].astype(str).str.zfill(4).to_numpy(object)
            )
        return facts

    def people(self, table: pd.DataFrame) -> None:
        """Places, facilities, and every paper that names people."""
        born = table.assign(document_kind=self.world.plan.documents["mother"].kind, document_number=table["mother"])
        born = born[born["certificate_day"] < NEVER]
        self.deliver("certificates", born, self.known("certificates", born["certificate_day"].to_numpy()))
        rows = papers.registry_rows(self.world, table, self.split)
        last = self.known("registry", rows["modified"].to_numpy())
        newest = ~pd.DataFrame({"child": rows[self.world.plan.documents["registry"].kind], "known": last}).duplicated(
            keep="last"
        )
        self.deliver("registry", rows[newest.to_numpy()], last[newest.to_numpy()])
        issued = table[table["identity_day"] < NEVER].assign(day=lambda rows: rows["identity_day"])
        self.deliver("identity", issued, self.known("identity", issued["day"].to_numpy()))
        for role, some in (
            ("users", papers.user_rows(self.world, table)),
            ("exits", papers.exit_rows(self.world, table)),
        ):
            self.deliver(role, some, self.known(role, some["told"].to_numpy()))
        self.places()

    def places(self) -> None:
        """The facilities, and the district that was divided with the one that left it."""
        providers = self.world.providers.rename(columns={"code": "provider"}).drop(columns="at")
        self.deliver("facilities", providers, np.full(len(providers), self.start, np.int32))
        old = self.world.places.iloc[[self.split[0]]].assign(at=self.split[0], since=NEVER, until=NEVER)
        new = old.assign(
            at=len(self.codes) - 1, name=self.world.plan.new_place, since=np.int32(self.split[1]), reniec=""
        )
        new["predecessors"] = self.codes[self.split[0]]
        tree = reference(self.world.programme, "places")
        upper = dict(zip(tree["code"], tree["name"], strict=True))
        above = dict(zip(tree["code"], tree["parent"], strict=True))
        rows = (
            pd.concat([old, new])
            .assign(settlement_number=0)
            .drop(columns="place")
            .astype({"since": np.int32, "until": np.int32})
        )
        rows = rows.assign(province=rows["parent"].map(upper), region=rows["parent"].map(above).map(upper))
        self.deliver("places", rows, np.full(2, self.split[1] + 20, np.int32))

    def contacts(self, table: pd.DataFrame, lines: pd.DataFrame) -> None:
        """The monthly files of contacts: what was keyed late, a network a month late, a facility silent, a month again."""
        world, size = self.world, len(table)
        heads = lines.drop_duplicates("contact")[["contact", "person", "day"]].reset_index(drop=True)
        person, day, dice = heads["person"].to_numpy(), heads["day"].to_numpy(), world.dice("contacts")
        home = papers.facility(world, world.pregnancies.place, world.plan.categories, dice)
        later = papers.facility(world, table["at_later"].to_numpy(), world.plan.categories, dice)
        where = np.r_[table["home_facility"], home][person]
        child = np.minimum(person, size - 1)
        moved = (person < size) & (day >= table["moved_day"].to_numpy()[child])
        at_birth = (
            (person < size) & (day - table["birth"].to_numpy()[child] <= 1) & (table["born_at"].to_numpy()[child] >= 0)
        )
        where = np.where(moved, later[child], np.where(at_birth, table["born_at"].to_numpy()[child], where))
        other = dice.random(len(where)) < world.plan.elsewhere
        where[other] = dice.permutation(where)[: other.sum()]
        heads["keyed"] = papers.keyed(world, day, dice.normal(size=len(day)))
        heads[world.plan.documents["patient"].kind], patients = papers.patient_rows(world, table, person, day)
        self.deliver("patients", patients, self.known("patients", patients["told"].to_numpy()))
        heads["where"], heads["provider"] = where, papers.codes_of(world)[where]
        usual = self.known("contacts", day)
        heads["known"] = np.where(heads["keyed"] <= usual, usual, self.known("contacts", heads["keyed"].to_numpy()))
        self._plant_contacts(heads)
        spread = heads.iloc[lines["contact"].to_numpy() - 1].reset_index(drop=True)
        rows = pd.concat([lines.drop(columns=["person", "day", "contact"]), spread], axis=1)
        rows["modified"], rows["age"] = (
            rows["keyed"],
            (rows["day"] - np.r_[table["birth"], world.pregnancies.birth - 365 * 25][rows["person"]]) // 30.44,
        )
        rows = rows[rows["known"] < NEVER].reset_index(drop=True).astype({"age": np.int64})
        self.deliver("contacts", rows, rows["known"].to_numpy(), rows["day"].to_numpy())
        self._send_again(rows, dice)

    def _plant_contacts(self, heads: pd.DataFrame) -> None:
        """A facility that stops reporting, and a network whose files of one month come two months late."""
        silent = heads.loc[heads["day"] > self.world.on - 400, "where"].mode()[0]
        stopped = days_of(Month.of(self.on).before(4).first)
        heads.loc[(heads["where"] == silent) & (heads["day"] >= stopped), "known"] = NEVER
        self.cases.append(
            (
                "silent",
                self.world.providers["code"][silent],
                int(self.world.providers["at"][silent]),
                stopped,
                "contacts",
                0,
            )
        )
        month = Month.of(self.on).before(5)
        networks = self.world.providers["network"].to_numpy(object)[heads["where"]]
        slow = self.world.providers["network"].replace("", np.nan).dropna().mode()[0]
        of_month = heads["day"].between(days_of(month.first), days_of(month.last)).to_numpy() & (networks == slow)
        late = self.known("contacts", np.array([days_of(month.before(-2).first)], np.int32))[0]
        heads.loc[of_month, "known"] = np.maximum(heads.loc[of_month, "known"], late)
        self.cases.append(("late", slow, None, days_of(month.first), "contacts", int(late)))

    def _send_again(self, rows: pd.DataFrame, dice: np.random.Generator) -> None:
        """One month delivered again, whole: a few contacts are gone from it, and some values were corrected."""
        month = Month.of(self.on).before(3)
        resent = days_of(month.before(-2).first) + 12
        again = rows[rows["day"].between(days_of(month.first), days_of(month.last)) & (rows["known"] <= resent)].copy()
        gone = dice.random(int(again["contact"].max() if len(again) else 0) + 1) < 0.003
        again = again[~gone[again["contact"]]]
        for name in [name for name in again if again[name].dtype.kind == "f"]:
            corrected = dice.random(len(again)) < 0.02
            again.loc[corrected, name] = (again.loc[corrected, name] + 0.3).round(1)
            again.loc[corrected, "modified"] = np.int32(resent - 3)
        known = np.full(len(again), resent, np.int32)
        self.deliver("contacts", again, known, again["day"].to_numpy(), replaces=month)
        self.cases.append(("resent", str(month), None, days_of(month.first), "contacts", resent))

    def plant(self, table: pd.DataFrame) -> None:
        """Cases of single people, chosen or made among the children."""
        on, born = self.world.on, table["birth"]
        seen = (table["certificate_day"] < NEVER) & (table["identity_day"] < on - 30) & (born < on - 240)
        numbers = table["mother_number"]
        self._child("twins", table, seen & (numbers == numbers.shift(-1)))
        same = self._child("homonyms", table, seen & (numbers != numbers.shift(-1)))
        twin = table.index[
            seen
            & (table["at"] == table["at"][same])
            & (table["sex"] == table["sex"][same])
            & (numbers != numbers[same])
        ]
        if len(twin):
            for name in ("surname", "second_surname", "names"):
                table.loc[twin[-1], name] = table.loc[same, name]
        bare = self._child("undocumented", table, born.between(on - 330, on - 200) & (table["registry_day"] < on - 150))
        table.loc[bare, ["certificate_day", "identity_day"]] = NEVER
        joined = self._child("joined", table, seen & (born > on - 330) & (table.index != bare))
        table.loc[joined, "identity_day"], table.loc[joined, "renewed"] = np.int32(born[joined] + 75), True
        self._child(
            "moved", table, seen & (table["moved_day"] < on - 60) & (table["identity_day"] < table["moved_day"])
        )
        self._child("died", table, (table["last"] < on - 60) & (table["certificate_day"] < NEVER))
        gone = (table["at"] == self.split[0]) & (table["settlement_number"] > self.world.plan.settlements * 2 // 3)
        self._child("split", table, gone & seen & (born < self.split[1]))
        self.cases.append(("new district", self.codes[-1], self.split[0], self.split[1], "places", self.split[1] + 20))

    def _child(self, case: str, table: pd.DataFrame, fits: pd.Series) -> int:
        """Pick one of those who fit (or anyone, when nobody does) for a case of a person."""
        among = np.flatnonzero(fits)
        index = int(among[len(among) // 2]) if len(among) else len(table) // 2
        self.chosen.append((case, index))
        return index

    def list_planted(self, table: pd.DataFrame) -> None:
        """planted.csv: what was planted, people by the document they have today, with the file that brought it."""
        _, numbers = papers.document(self.world, table, np.full(len(table), self.world.on, np.int32))
        days = {"moved": "moved_day", "died": "last", "joined": "identity_day"}
        for case, index in self.chosen:
            day = int(table[days.get(case, "birth")][index])
            known = int(self.known("registry", np.array([day]))[0])
            self.cases.append((case, str(numbers[index]), int(table["at"][index]), day, "registry", known))
        for case, who, at, day, role, known in self.cases:
            source, place = (
                self.world.programme.sources[self.world.plan.files[role].source],
                "" if at is None else self.codes[at],
            )
            month = str(Month.of(day_of(day)))
            name = source.file.format(year=month[:4], month=month[5:])
            brought = [
                one.path
                for one in self.result.files
                if one.known_on == day_of(known) and one.path.name.startswith(name)
            ]
            facts = {"who": who, "place": place, "day": day_of(day), "month": month}
            file = str(brought[-1].relative_to(self.folder)) if brought else ""
            look = self.world.plan.planted[case].look.format(**facts)
            self.result.planted.append(Case(case, who, place, day_of(day).isoformat(), file, look))
        with (self.folder / "planted.csv").open("w", encoding="utf-8", newline="") as listed:
            writer = csv.writer(listed)
            writer.writerow([*Case.__dataclass_fields__, "name"])
            for one in self.result.planted:
                writer.writerow([*vars(one).values(), self.world.plan.planted[one.case].name])


def _spoiled(lines: pa.Table, bad: dict[str, str]) -> pa.Table:
    """The last line with some of its cells replaced: a row that must be refused."""
    row = lines.slice(len(lines) - 1)
    for name, text in bad.items():
        row = row.set_column(row.schema.get_field_index(name), name, pa.array([text]))
    return row
