"""What is known on a day: the only place with the second time axis. Tables in the lake -> people with their histories.

A record is in force from its `known` day until another version, or a `--replaces`, withdraws it. A subject is whom a
ranked row of a registry lists; its rows merge by rank, then known day, each attribute from the best row that has it.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.programme.load import Programme
from winay.records import link, matching, places, runs, tables
from winay.records.tables import DAY_MAX, days
from winay.workspace.folder import Workspace

DAY_ZERO = 1 << 19
"""Added to days since 1970 so that none is negative in 20 bits (years 534 to 3405)."""


@dataclass(frozen=True)
class Known:
    """What is known on `day`. Days are date32; `subject` is dense, in order of kind, birth, person.

    subjects(subject, person, kind, birth, attributes…); members(subject, person): every identifier of a subject;
    residences(subject, place, since, until, settlement): spells, the last one open, the first from birth on;
    services(subject, service, day): service = place in the sorted names; sorted by all three and distinct;
    enrolments(subject, programme, since, until); exits(subject, day, kind); providers; places (also those no longer in
    force); reported(provider, month: its first day); loads: those that were read.
    """

    day: dt.date
    subjects: pa.Table
    members: pa.Table
    residences: pa.Table
    services: pa.Table
    enrolments: pa.Table
    exits: pa.Table
    providers: pa.Table
    places: pa.Table
    reported: pa.Table
    loads: frozenset[int]


def known_by(ws: Workspace, programme: Programme, day: dt.date, decided: Sequence[link.Decision] = ()) -> Known:
    """The whole workspace as it was known on `day`; `decided`: what people decided of who is who."""
    ws.lake.declare(tables.schemas(programme))
    loads = ws.ledger.finished()
    read = Reader(ws, day, loads)
    people = read.table("people")
    people = people.filter(pc.and_(pc.is_valid(people["person"]), pc.is_valid(people["birth"])))
    tree = places.known(programme, "places", read.table("places"))
    who = _Who(people, read.table("same_as"), [d for d in decided if d.holds(day)])
    subjects = _subjects(people, who, [kind for kind, s in programme.head.subjects.items() if s.episodes])
    who.found(subjects)
    hidden = {"component", "rank", "source", *(column.name for column in tables.BOOKKEEPING)}
    return Known(
        day=day,
        subjects=subjects.drop_columns(sorted(hidden)),
        members=who.members(),
        residences=_spells(read.table("residences"), people, who, subjects, programme, tree, day),
        services=_services(ws, programme, day, who),
        enrolments=who.of(read.table("enrolments")).select(["subject", "programme", "since", "until"]),
        exits=who.of(read.table("exits")).select(["subject", "day", "kind"]),
        providers=places.known(programme, "providers", read.table("providers")),
        places=tree,
        reported=read.reported(),
        loads=loads,
    )


@dataclass
class Reader:
    """Rows in force on a day, of the loads finished when we began."""

    ws: Workspace
    day: dt.date
    loads: Collection[int]

    def rows(self, table: str) -> Any:
        con = self.ws.connect()
        gone = self.ws.lake.read(con, "withdrawn", self.loads)
        gone = gone.filter((gone.table == table) & (gone["from"] <= self.day)).select("gone", "of").distinct()
        rows = self.ws.lake.read(con, table, self.loads)
        return rows.filter(rows.known <= self.day).anti_join(gone, [("row", "gone"), ("load", "of")])

    def table(self, table: str) -> pa.Table:
        """In the order of their content, so that the order of loads never shows."""
        return self.rows(table).order_by("known", "version", "row", "load", "line").to_pyarrow()

    def reported(self) -> pa.Table:
        rows = self.rows("items")
        months = rows.filter(rows.provider.notnull()).select("provider", month=rows.day.truncate("M").cast("date"))
        return months.distinct().order_by("provider", "month").to_pyarrow()


class _Who:
    """Identifiers, the person each belongs to, and the subjects of each person."""

    def __init__(self, people: pa.Table, same: pa.Table, decided: Sequence[link.Decision]) -> None:
        same = same.filter(pc.and_(pc.is_valid(same["a"]), pc.is_valid(same["b"])))
        a, b = np.asarray(same["a"]), np.asarray(same["b"])
        joined = np.array([n for d in decided for n in (d.a, d.b)], np.int64)
        self.nodes = np.unique(np.concatenate([a, b, np.asarray(people["person"]), joined]))
        self.component = link.components(self.nodes, a, b, decided)
        self.name = np.zeros(len(self.nodes), np.int64)  # of each component: its identifier that was known earliest
        seen = np.full(len(self.nodes), DAY_MAX, np.int64)
        for rows, column in ((people, "person"), (same, "a"), (same, "b")):
            at, _ = self.at(np.asarray(rows[column]))
            np.minimum.at(seen, at, np.asarray(rows["known"].cast(pa.int32())))
        order = np.lexsort((self.nodes, seen, self.component))
        first = order[runs.starts(self.component[order])]
        self.name[self.component[first]] = self.nodes[first]

    def at(self, persons: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The place of identifiers among the nodes, and whether they are there."""
        at = np.searchsorted(self.nodes, persons)
        there = np.append(self.nodes, -1)[at] == persons
        return np.where(there, at, 0), there

    def found(self, subjects: pa.Table) -> None:
        """Remember which subjects each component has (a woman may have several episodes)."""
        component = np.asarray(subjects["component"])
        self.subjects = np.argsort(component, kind="stable").astype(np.int32)
        every = np.arange(len(self.nodes))
        self.first = np.searchsorted(component[self.subjects], every)
        self.count = np.searchsorted(component[self.subjects], every, "right") - self.first

    def spread(self, persons: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(row, subject) for each subject of each row's person; rows of nobody we know are left out."""
        at, there = self.at(persons)
        rows = np.flatnonzero(there)
        component = self.component[at[rows]]
        which, place = runs.spread(self.first[component], self.count[component])
        return rows[which], self.subjects[place]

    def of(self, rows: pa.Table) -> pa.Table:
        """The rows with `subject`, sorted by it; those of nobody wait."""
        row, subject = self.spread(np.asarray(pc.fill_null(rows["person"], -1)))
        order = np.argsort(subject, kind="stable")
        return rows.take(pa.array(row[order])).append_column("subject", pa.array(subject[order]))

    def members(self) -> pa.Table:
        row, subject = self.spread(self.nodes)
        order = np.lexsort((self.nodes[row], subject))
        return pa.table({"subject": subject[order], "person": self.nodes[row][order]})


def _subjects(people: pa.Table, who: _Who, episodes: list[str]) -> pa.Table:
    """One row a subject: one a person, or, of kinds that are episodes, one a person and day; with its `component`."""
    component = who.component[who.at(np.asarray(people["person"]))[0]]
    rank = np.asarray(pc.fill_null(people["rank"], DAY_MAX)).astype(np.int64)
    birth = np.asarray(people["birth"].cast(pa.int32()))
    kind, part = (
        runs.coded(people["kind"]),
        np.where(pc.is_in(people["kind"], pa.array(episodes, pa.string())), birth, 0),
    )
    latest = -np.arange(len(people))  # rows come in order of known day and version
    order = np.lexsort((latest, rank, part, component, kind))
    first = runs.starts(kind[order], component[order], part[order])
    whole = runs.first_valid(people.take(pa.array(order)), first)
    component = component[order][first]
    whole = whole.drop_columns(["person"]).append_column("person", pa.array(who.name[component]))
    whole = whole.append_column("component", pa.array(component, pa.int32())).filter(pc.is_valid(whole["rank"]))
    whole = whole.sort_by([(name, "ascending") for name in ("kind", "birth", "person")])
    return whole.add_column(0, "subject", pa.array(np.arange(len(whole), dtype=np.int32)))


def _spells(
    homes: pa.Table, people: pa.Table, who: _Who, subjects: pa.Table, programme: Programme, tree: pa.Table, day: dt.date
) -> pa.Table:
    """Where each subject lives from when to when: of its best ranked row that says so, the latest word for each day."""
    rows = who.of(homes)
    ranked = people.group_by("person").aggregate([("rank", "min")]).sort_by("person")
    at = np.searchsorted(np.asarray(ranked["person"]), np.asarray(rows["person"]))
    known = np.append(np.asarray(ranked["person"]), -1)[at] == np.asarray(rows["person"])
    rank = np.where(known, np.append(np.asarray(pc.fill_null(ranked["rank_min"], DAY_MAX)), DAY_MAX)[at], DAY_MAX)
    subject = np.asarray(rows["subject"])
    best = np.full(len(subjects), DAY_MAX, np.int64)
    np.minimum.at(best, subject, rank)
    told, since = rows["known"].cast(pa.int32()), pc.coalesce(rows["since"], rows["known"]).cast(pa.int32())
    rows = rows.set_column(rows.column_names.index("since"), "since", since).append_column("told", told)
    rows = rows.filter(pa.array(rank == best[subject]))
    rows = rows.sort_by([(name, "ascending") for name in ("subject", "since", "told", "version", "row")])
    rows = rows.take(pa.array(runs.lasts(np.asarray(rows["subject"]), np.asarray(rows["since"]))))
    own = places.own_codes(tree, tables.code_systems(programme), day)
    place = pa.array([own.get(code, code) for code in rows["place"].to_pylist()], pa.string())
    first = runs.starts(np.asarray(rows["subject"]), runs.coded(place))
    rows, place = rows.take(pa.array(first)), place.take(pa.array(first))
    subject, start = np.asarray(rows["subject"]), np.asarray(rows["since"]).copy()
    end, last, opens = np.append(start[1:], 0)[: len(start)] - 1, runs.lasts(subject), runs.starts(subject)
    start[opens] = np.minimum(start[opens], np.asarray(subjects["birth"].cast(pa.int32()))[subject[opens]])
    until = pa.array(end.astype(np.int32), mask=np.isin(np.arange(len(end)), last)).cast(pa.date32())
    spells = {"subject": rows["subject"], "place": place, "since": days(start), "until": until}
    return pa.table(spells | {"settlement": rows["settlement"]})


def _services(ws: Workspace, programme: Programme, day: dt.date, who: _Who) -> pa.Table:
    """Distinct (subject, service, day), sorted: packed in one number each, because a country has 150 million."""
    packed = [np.zeros(0, np.int64)]
    for part in matching.derived(ws, programme):
        part = part.filter((pc.field("known") <= days_of(day)) & (pc.field("gone") > days_of(day)))
        row, subject = who.spread(np.asarray(part["person"]))
        service, on = (np.asarray(part[name])[row].astype(np.int64) for name in ("service", "day"))
        packed.append(subject.astype(np.int64) << 32 | service << 20 | on + DAY_ZERO)
    whole = np.unique(np.concatenate(packed))
    service = (whole >> 20 & 0xFFF).astype(np.int16)
    on = days((whole & 0xFFFFF) - DAY_ZERO)
    return pa.table({"subject": (whole >> 32).astype(np.int32), "service": service, "day": on})


def missing(ws: Workspace, programme: Programme, kind: str, values: pa.Array) -> pa.Array:
    """Those of the values that have not arrived: persons no registry or patient master names, codes of no table."""
    if kind != "person":
        return places.missing(ws, programme, kind, values)
    con = ws.connect()
    wanted = ibis.memtable(pa.table({"person": values}))
    for table, column in (("people", "person"), ("same_as", "a"), ("same_as", "b")):
        rows = ws.lake.read(con, table)
        wanted = wanted.anti_join(rows.select(person=rows[column]), "person")
    return con.to_pyarrow(wanted)["person"].combine_chunks()
