"""Invented ministry files: the programme's declarations read backwards, so that no country is written in Python.

`demo.yaml` says how often and how late, the standards when something is owed, the services by which codes it is proved,
the sources what a file looks like. Same programme, seed and day: the same bytes.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from winay.core.ages import day_of, days_of
from winay.core.periods import Month
from winay.programme.load import Programme
from winay.programme.yaml_text import read, validate
from winay.records import backwards, papers, tables
from winay.records.contacts import contact_lines
from winay.records.plan import Plan
from winay.records.world import NEVER, Days, World, cared_for, reference, settle

EPOCH = np.datetime64("1970-01-01")
Progress = Callable[[str, int, int], None]
"""Called with the source being written, how many of its files are done, and of how many."""


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
    name: str


@dataclass
class Deliveries:
    """The files in the order they were delivered, what was planted, the lines written by source, and the births by region:
    how many were invented, and how many the estimates say."""

    files: list[Delivery] = field(default_factory=list)
    planted: list[Case] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    births: dict[str, tuple[int, float]] = field(default_factory=dict)


def invent(
    programme: Programme,
    folder: Path,
    on: date,
    seed: int = 7,
    regions: Sequence[str] | None = None,
    progress: Progress = lambda source, done, total: None,
) -> Deliveries:
    """Write what the ministries would have delivered up to `on` about the births of the plan's last months.

    regions: codes of places at any level, the plan's own when left out. Beside the files stands planted.csv, the list of
    what was put in on purpose.
    """
    file = programme.path / "demo.yaml"
    plan = validate(Plan, read(file), file)
    world = settle(programme, plan, on, seed, regions or plan.regions)
    papers.complete(world)
    made = _Maker(world, Path(folder), progress)
    made.result.births = made.births()
    made.plant()
    made.people()
    made.places()
    made.contacts(contact_lines(world, cared_for(world)))
    order = [use.source for use in plan.files.values()]
    made.result.files.sort(key=lambda one: (one.known_on, order.index(one.source), one.path.name))
    made.list_planted()
    return made.result


@dataclass
class _Maker:
    """Writes tables of rows as files of their sources, one for each day of delivery (and month, where the name has one)."""

    world: World
    folder: Path
    progress: Progress
    result: Deliveries = field(default_factory=Deliveries)
    cases: list[tuple[str, str | int, int | None, int, str, int]] = field(default_factory=list)
    """Case, whom (the number of a child, or text), district, day, role of the file, day known."""

    def __post_init__(self) -> None:
        world, self.table = self.world, self.world.children.table
        here = world.places["parent"] == world.places["parent"].iloc[-1]
        born = np.bincount(self.table["at"], minlength=len(here))
        self.split = (int(np.argmax(np.where(here, born, -1))), self.first(world.plan.history - 2))
        newest = str(int(world.places["code"][here].max()) + 1)
        self.codes = np.array([*world.places["code"], newest.zfill(len(world.places["code"][0]))], object)
        systems = tables.code_systems(world.programme)
        self.systems = {name: dict(zip(self.codes, world.places[name], strict=False)) for name in systems}

    def first(self, months: int) -> int:
        """The first day of the month so many months before ours."""
        return days_of(Month.of(day_of(self.world.on)).before(months).first)

    def births(self) -> dict[str, tuple[int, float]]:
        """Children invented and estimated, by region."""
        places = self.world.places
        parent = reference(self.world.programme, "places").set_index("code")["parent"]
        expected = sum(places[f"age_{year}"].astype(float) for year in range(self.world.plan.months // 12))
        born = pd.DataFrame({"born": np.bincount(self.table["at"], minlength=len(places)), "expected": expected})
        sums = born.groupby(places["parent"].map(parent)).sum()
        return {str(code): (int(row["born"]), round(float(row["expected"]), 1)) for code, row in sums.iterrows()}

    def known(self, role: str, told: Days) -> Days:
        """The day whose delivery brings what was told on a day: in the month after it, never before our first."""
        by = self.world.programme.sources[self.world.plan.files[role].source].by_day or 1
        following = ((EPOCH + told).astype("datetime64[M]") + 1).astype("datetime64[D]").astype(np.int64)
        return np.maximum(following + by - 1, self.first(self.world.plan.history) + 10).astype(np.int32)

    def deliver(
        self, role: str, rows: pd.DataFrame, known: Days, day: Days | None = None, replaces: str | None = None
    ) -> None:
        """Write the rows known up to our day. `day`: the one whose month is in the name of the file."""
        use = self.world.plan.files[role]
        source = self.world.programme.sources[use.source]
        month = np.zeros(len(known), int) if day is None else (EPOCH + day).astype("datetime64[M]").astype(int)
        wanted = np.flatnonzero(known <= self.world.on)
        groups = sorted(
            pd.DataFrame({"known": known, "month": month}).iloc[wanted].groupby(["known", "month"]).indices.items()
        )
        for number, ((when, of), chosen) in enumerate(groups, start=1):
            name = source.file.format(year=of // 12 + 1970, month=f"{of % 12 + 1:02d}") + (
                ".gz" if use.compress else ""
            )
            path = self.folder / day_of(when).isoformat() / name
            lines = backwards.lines(source, self.facts(rows.iloc[wanted[chosen]]), use.fill, self.systems)
            if number == len(groups) and not replaces:
                lines = pa.concat_tables([lines, *(_spoiled(lines, bad) for bad in use.bad)])
            backwards.save(lines, path, source.delimiters[number % len(source.delimiters)], mark=number % 3 == 0)
            self.result.files.append(Delivery(source.source, path, day_of(when), replaces))
            self.result.lines[source.source] = self.result.lines.get(source.source, 0) + len(lines)
            self.progress(source.source, number, len(groups))

    def facts(self, rows: pd.DataFrame) -> dict[str, pa.Array]:
        """Columns as Arrow; int32 are days, `at` becomes the code of a place."""
        facts = {}
        for name, values in rows.items():
            if values.dtype.kind in "bif":
                days = values.dtype == np.int32
                array = pa.array(values.to_numpy(), mask=values.to_numpy() >= NEVER if days else None, from_pandas=True)
                facts[str(name)] = array.cast(pa.date32()) if days else array
            else:
                coded = pd.Categorical(values)
                words = pa.array(coded.categories.to_numpy(object), pa.string())
                facts[str(name)] = pa.DictionaryArray.from_arrays(pa.array(coded.codes, mask=coded.codes < 0), words)
        if "at" in rows:
            code = self.codes[rows["at"]]
            settlement = (
                code + rows["settlement_number"].map("{:04d}".format).to_numpy(object)
                if "settlement_number" in rows
                else code
            )
            facts |= {"place": pa.array(code), "settlement": pa.array(settlement)}
        return facts

    def people(self) -> None:
        """Every paper that names people, but for the patients."""
        mother = self.world.plan.documents["mother"].kind
        born = self.table.assign(
            document_kind=mother, document_number=self.table["mother"], told=self.table["certificate_day"]
        )
        issued = self.table.assign(day=self.table["identity_day"], told=self.table["identity_day"])
        registry = papers.registry_rows(self.world, self.split)
        number = self.world.plan.documents["registry"].kind
        superseded = registry.assign(known=self.known("registry", registry["told"].to_numpy())).duplicated(
            [number, "known"], "last"
        )
        papered = {"certificates": born, "registry": registry[~superseded], "identity": issued}
        papered |= {"users": papers.user_rows(self.world), "exits": papers.exit_rows(self.world)}
        for role, rows in papered.items():
            self.deliver(role, rows, self.known(role, rows["told"].to_numpy()))

    def places(self) -> None:
        """The facilities, and the district that was divided with the one that left it."""
        facilities = self.world.providers.rename(columns={"code": "provider"}).drop(columns="at")
        self.deliver(
            "facilities", facilities, np.full(len(facilities), self.first(self.world.plan.history) + 10, np.int32)
        )
        tree = reference(self.world.programme, "places").set_index("code")
        old = self.world.places.iloc[[self.split[0]]].assign(at=self.split[0], since=NEVER, until=NEVER)
        new = old.assign(at=len(self.codes) - 1, name=self.world.plan.new_place, since=np.int32(self.split[1]))
        new = new.assign(**dict.fromkeys(self.systems, ""))
        rows = pd.concat([old, new.assign(predecessors=self.codes[self.split[0]])])
        rows = rows.assign(
            province=rows["parent"].map(tree["name"]), region=rows["parent"].map(tree["parent"]).map(tree["name"])
        )
        self.deliver(
            "places", rows.astype({"since": np.int32, "until": np.int32}), np.full(2, self.split[1] + 20, np.int32)
        )

    def contacts(self, lines: pd.DataFrame) -> None:
        """The monthly files of contacts, and the master of their patients."""
        world, dice, size = self.world, self.world.dice("contacts"), len(self.table)
        heads = lines.drop_duplicates("contact")[["person", "day"]].reset_index(drop=True)
        person, day = heads["person"].to_numpy(np.int64), heads["day"].to_numpy()
        at = np.r_[self.table["at"], world.pregnancies.table["at"]]
        later = np.r_[self.table["at_later"], world.pregnancies.table["at"]]
        moved, born, birth_at = (
            np.r_[self.table[name], np.full(len(at) - size, NEVER)][person]
            for name in ("moved_day", "birth", "born_at")
        )
        usual, other = (papers.facility(world, place, world.plan.categories, dice)[person] for place in (at, later))
        where = np.where(day < moved, usual, other)
        where = np.where((person < size) & (day - born <= 1) & (birth_at >= 0), birth_at, where)
        where = np.where(dice.random(len(where)) < world.plan.elsewhere, dice.permutation(where), where)
        lag = np.minimum(world.plan.keyed.median * np.exp(world.plan.keyed.sigma * dice.normal(size=len(day))), 30)
        number, patients = papers.patient_rows(world, person, day)
        self.deliver("patients", patients, self.known("patients", patients["told"].to_numpy()))
        heads = heads.assign(
            keyed=(day + lag).astype(np.int32), where=where, provider=world.providers["code"].to_numpy()[where]
        )
        heads[world.plan.documents["patient"].kind] = number
        on_time, late = self.known("contacts", day), self.known("contacts", heads["keyed"].to_numpy())
        heads["known"] = self._plant_contacts(heads, np.where(heads["keyed"] <= on_time, on_time, late))
        heads["modified"] = heads["keyed"]
        heads["age"] = np.where(person < size, (day - born) // 30.44, 300).astype(np.int64)
        rows = pd.concat(
            [lines.drop(columns=["person", "day"]), heads.iloc[lines["contact"] - 1].reset_index(drop=True)], axis=1
        )
        self.deliver("contacts", rows, rows["known"].to_numpy(), rows["day"].to_numpy())
        self._send_again(rows, dice)

    def _plant_contacts(self, heads: pd.DataFrame, known: Days) -> Days:
        """A facility that stops reporting, and a network whose files of one month come two months late."""
        providers, day = self.world.providers, heads["day"].to_numpy()
        used = heads["where"].value_counts().index
        silent, stopped = int(used[len(used) // 5]), self.first(4)
        self.cases.append(("silent", providers["code"][silent], int(providers["at"][silent]), stopped, "contacts", 0))
        known = np.where((heads["where"] == silent) & (day >= stopped), NEVER, known)
        network, month, late = (
            providers["network"],
            self.first(4),
            int(self.known("contacts", np.array([self.first(2)]))[0]),
        )
        slow = network[network != ""].mode()[0]
        self.cases.append(("late", slow, None, month, "contacts", late))
        held = (network[heads["where"]] == slow).to_numpy() & (day >= month) & (day < self.first(3))
        return np.where(held, np.maximum(known, late), known).astype(np.int32)

    def _send_again(self, rows: pd.DataFrame, dice: np.random.Generator) -> None:
        """One month delivered again, whole: a few contacts are gone from it, and some values were corrected."""
        month, resent = self.first(3), self.first(1) + 12
        again = rows[(rows["day"] >= month) & (rows["day"] < self.first(2)) & (rows["known"] <= resent)].copy()
        again = again[again["contact"] % 150 != 0]
        corrected = dice.random(len(again)) < 0.02
        for name in again.select_dtypes(float):
            again[name] = again[name].mask(corrected, (again[name] + 0.3).round(1))
        again["modified"] = again["modified"].mask(corrected, np.int32(resent - 3))
        of = str(Month.of(day_of(month)))
        self.deliver("contacts", again, np.full(len(again), resent, np.int32), again["day"].to_numpy(), replaces=of)
        self.cases.append(("resent", of, None, month, "contacts", resent))

    def plant(self) -> None:
        """Cases of single people, chosen or made among the children."""
        table, on = self.table, self.world.on
        papered = (table["certificate_day"] < NEVER) & (table["identity_day"] < on - 30) & (table["birth"] < on - 240)
        settled, numbers = papered & (table["moved_day"] == NEVER), table["mother_number"]
        only = (numbers != numbers.shift(1)) & (numbers != numbers.shift(-1))
        left = (table["at"] == self.split[0]) & (table["settlement_number"] > self.world.plan.settlements * 2 // 3)
        self._choose("twins", settled & (numbers == numbers.shift(-1)))
        named_by = table[self.world.plan.named_by]
        crowd = settled & only & ~left & (table["at"] == table["at"].mode()[0]) & (named_by == named_by[0])
        if (one := self._choose("homonyms", crowd)) is not None:
            names, namesake = ["surname", "second_surname", "names"], np.flatnonzero(crowd)[-1]
            table.loc[namesake, names] = table.loc[one, names].to_numpy()
        young = only & table["birth"].between(on - 330, on - 200)
        if (bare := self._choose("undocumented", young & (table["registry_day"] < on - 150))) is not None:
            table.loc[bare, ["certificate_day", "identity_day"]] = NEVER
        if (joined := self._choose("joined", settled & young)) is not None:
            table.loc[joined, ["identity_day", "renewed"]] = table["birth"][joined] + 75, True
        lately = table["moved_day"].between(self.first(self.world.plan.history), on - 60)
        self._choose("moved", papered & only & lately & (table["identity_day"] < table["moved_day"]))
        self._choose("died", (table["last"] < on - 60) & (table["certificate_day"] < NEVER))
        self._choose("split", settled & only & left & (table["birth"] < self.first(self.world.plan.history + 2)))
        self.cases.append(("new district", self.codes[-1], self.split[0], self.split[1], "places", self.split[1] + 20))

    def _choose(self, case: str, fits: pd.Series) -> int | None:
        """One of those who fit and were not chosen before, for a case that is about one person; None if nobody does."""
        among = np.flatnonzero(
            fits & (self.table["registry_day"] < NEVER) & ~fits.index.isin([one[1] for one in self.cases])
        )
        if not len(among):
            return None
        child = int(among[len(among) // 2])
        told = self.table[{"moved": "moved_day", "died": "last"}.get(case, "registry_day")][child]
        self.cases.append(
            (case, child, int(self.table["at"][child]), int(told), "registry", int(self.known("registry", told)))
        )
        return child

    def list_planted(self) -> None:
        """planted.csv: people by the document they have today, with the file that brought the case."""
        roles = ("registry", "certificate", "identity")
        numbers = papers.with_document(self.world, self.table, np.full(len(self.table), self.world.on), roles)[
            "document_number"
        ]
        for case, who, at, day, role, known in self.cases:
            month = str(Month.of(day_of(day)))
            source, told = (
                self.world.programme.sources[self.world.plan.files[role].source],
                self.world.plan.planted[case],
            )
            name = source.file.format(year=month[:4], month=month[5:])
            files = [
                one.path
                for one in self.result.files
                if one.known_on == day_of(known) and one.path.name.startswith(name)
            ]
            facts = {
                "who": str(numbers[who] if isinstance(who, int) else who),
                "place": "" if at is None else str(self.codes[at]),
            }
            look = told.look.format(day=day_of(day), month=month, **facts)
            file = files[-1].relative_to(self.folder).as_posix() if files else ""
            self.result.planted.append(
                Case(case, day=day_of(day).isoformat(), file=file, look=look, name=str(told.name), **facts)
            )
        with (self.folder / "planted.csv").open("w", encoding="utf-8", newline="") as listed:
            writer = csv.DictWriter(listed, list(Case.__dataclass_fields__), lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(one) for one in self.result.planted)


def _spoiled(lines: pa.Table, bad: dict[str, str]) -> pa.Table:
    """The last line with some of its cells replaced: a row that must be refused."""
    row = lines.slice(len(lines) - 1)
    for name, text in bad.items():
        row = row.set_column(row.schema.get_field_index(name), name, pa.array([text]))
    return row
