"""What is known on a day: the only place with the second time axis. Tables in the lake -> people with their histories.

A record is in force from its `known` day until another version, or a `--replaces`, withdraws it. A subject is whom a
ranked row of a registry lists; its rows merge by rank, then known day, each attribute from the best row that has it.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.programme.load import Programme
from winay.records import link, matching, places, tables
from winay.records.tables import DAY_MAX
from winay.workspace.folder import Workspace


@dataclass(frozen=True)
class Known:
    """What is known on `day`. Days are date32; `subject` is dense, in order of kind, birth, person.

    subjects(subject, person, kind, birth, attributes…); members(subject, person): every identifier of a subject;
    residences(subject, place, since, until, settlement): spells, the last one open, the first from birth on;
    services(subject, service, day): service = place in the sorted names; sorted by all three and distinct;
    enrolments(subject, programme, since, until); exits(subject, day, kind); providers; places (those in force);
    bridge: code not in force -> code in force; reported(provider, month: its first day); loads: those that were read.
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
    bridge: dict[str, str]
    reported: pa.Table
    loads: frozenset[int]


def known_by(ws: Workspace, programme: Programme, day: dt.date, decided: Sequence[link.Decision] = ()) -> Known:
    """The whole workspace as it was known on `day`; `decided`: what people decided of who is who."""
    ws.lake.declare(tables.schemas(programme))
    loads = ws.ledger.finished()
    read = Reader(ws, day, loads)
    people, same, homes = read.table("people"), read.table("same_as"), read.table("residences")
    whole = places.known(programme, "places", read.table("places"))
    bridge = places.bridge(whole, tables.code_systems(programme), day)
    force = pa.array([places.in_force(row, day) for row in whole.select(["since", "until"]).to_pylist()], pa.bool_())
    who = _Who(people, same, [d for d in decided if d.holds(day)])
    episodes = [kind for kind, subject in programme.head.subjects.items() if subject.episodes]
    subjects = _subjects(people, who, episodes)
    who.found(subjects)
    kept = [
        f.name
        for f in tables.schema(programme, "people")
        if f.name not in ("rank", "source", *(c.name for c in tables.BOOKKEEPING))
    ]
    return Known(
        day,
        subjects.select(["subject", *kept]),
        who.members(),
        _spells(homes, people, who, subjects, bridge),
        _services(ws, programme, day, who),
        who.of(read.table("enrolments")).select(["subject", "programme", "since", "until"]),
        who.of(read.table("exits")).select(["subject", "day", "kind"]),
        places.known(programme, "providers", read.table("providers")),
        whole.filter(force),
        bridge,
        read.reported(),
        loads,
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
        rows = self.rows(table)
        return rows.order_by("known", "row", "load", "line").to_pyarrow()

    def reported(self) -> pa.Table:
        rows = self.rows("items")
        return (
            rows.filter(rows.provider.notnull())
            .select("provider", month=rows.day.truncate("M").cast("date"))
            .distinct()
            .order_by("provider", "month")
            .to_pyarrow()
        )


class _Who:
    """Identifiers, the person each belongs to, and the subjects of each person."""

    def __init__(self, people: pa.Table, same: pa.Table, decided: Sequence[link.Decision]) -> None:
        same = same.filter(pc.and_(pc.is_valid(same["a"]), pc.is_valid(same["b"])))
        a, b, named = np.asarray(same["a"]), np.asarray(same["b"]), np.asarray(people["person"].drop_null())
        joined = np.array([n for d in decided for n in (d.a, d.b)], np.int64)
        self.nodes = np.unique(np.concatenate([a, b, named, joined]))
        self.component = link.components(self.nodes, a, b, decided)
        self._name(people, same)

    def _name(self, people: pa.Table, same: pa.Table) -> None:
        """Each component is called by its identifier that was known earliest."""
        seen = np.full(len(self.nodes), DAY_MAX, np.int64)
        for rows, column in ((people, "person"), (same, "a"), (same, "b")):
            at, there = self.at(np.asarray(rows[column]))
            np.minimum.at(seen, at[there], np.asarray(rows["known"].cast(pa.int32()))[there])
        order = np.lexsort((self.nodes, seen, self.component))
        first = order[np.r_[True, self.component[order][1:] != self.component[order][:-1]]] if len(order) else order
        self.name = np.zeros(len(self.nodes), np.int64)
        self.name[self.component[first]] = self.nodes[first]

    def at(self, persons: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The place of identifiers among the nodes, and whether they are there."""
        if not len(self.nodes):
            return np.zeros(len(persons), np.int64), np.zeros(len(persons), bool)
        at = np.minimum(np.searchsorted(self.nodes, persons), len(self.nodes) - 1)
        return at, self.nodes[at] == persons

    def found(self, subjects: pa.Table) -> None:
        """Remember which subjects each component has (a woman may have several episodes)."""
        component = np.asarray(subjects["component"])
        self.subjects = np.argsort(component, kind="stable").astype(np.int32)
        self.first = np.searchsorted(component[self.subjects], np.arange(len(self.nodes)))
        self.last = np.searchsorted(component[self.subjects], np.arange(len(self.nodes)), "right")

    def spread(self, persons: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(row, subject) for each subject of each row's person; rows of nobody we know are left out."""
        at, there = self.at(persons)
        component = self.component[at] if len(self.nodes) else at
        first = np.where(there, self.first[component], 0) if len(self.nodes) else at
        count = np.where(there, self.last[component] - self.first[component], 0) if len(self.nodes) else at
        row = np.repeat(np.arange(len(persons)), count)
        step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        return row, self.subjects[np.repeat(first, count) + step]

    def of(self, rows: pa.Table) -> pa.Table:
        """The rows with `subject`, sorted by it; those of nobody wait."""
        row, subject = self.spread(np.asarray(pc.fill_null(rows["person"], -1)))
        order = np.argsort(subject, kind="stable")
        return rows.take(pa.array(row[order])).append_column("subject", pa.array(subject[order]))

    def members(self) -> pa.Table:
        row, subject = self.spread(self.nodes)
        order = np.lexsort((self.nodes[row], subject))
        return pa.table({"subject": subject[order], "person": self.nodes[row][order]})


def _subjects(people: pa.Table, who: _Who, kinds: list[str]) -> pa.Table:
    """One row a subject: children by person, episodes by person and day, in order of kind, birth, person."""
    people = people.filter(pc.and_(pc.is_valid(people["person"]), pc.is_valid(people["birth"])))
    at, _ = who.at(np.asarray(people["person"]))
    component = who.component[at] if len(who.nodes) else at
    kind = places._codes(people["kind"])
    birth = np.asarray(people["birth"].cast(pa.int32()))
    rank = np.asarray(pc.fill_null(people["rank"], DAY_MAX)).astype(np.int64)
    episodes = np.asarray(pc.is_in(people["kind"], pa.array(kinds, pa.string())))
    part = np.where(episodes, birth, 0)  # a child has one birth, an episode is one by its day
    order = np.lexsort((np.arange(len(people)), rank, part, component, kind))
    group = np.stack([kind, component, part])[:, order]
    starts = (
        np.flatnonzero(np.r_[True, (group[:, 1:] != group[:, :-1]).any(axis=0)])
        if len(order)
        else np.zeros(0, np.int64)
    )
    whole = places.first_of_runs(people.take(pa.array(order)), starts)
    whole = whole.set_column(whole.column_names.index("person"), "person", pa.array(who.name[component[order][starts]]))
    whole = whole.append_column("component", pa.array(component[order][starts].astype(np.int32)))
    whole = whole.filter(pc.is_valid(whole["rank"])).sort_by(
        [("kind", "ascending"), ("birth", "ascending"), ("person", "ascending")]
    )
    return whole.append_column("subject", pa.array(np.arange(len(whole), dtype=np.int32)))


def _spells(homes: pa.Table, people: pa.Table, who: _Who, subjects: pa.Table, bridge: dict[str, str]) -> pa.Table:
    """Where each subject lives from when to when: of its best ranked row that says so, the latest word for each day."""
    homes = homes.filter(pc.is_valid(homes["person"]))
    code = homes["place"].combine_chunks().dictionary_encode()
    placed = pa.array([bridge.get(c, c) for c in code.dictionary.to_pylist()], pa.string())
    homes = homes.set_column(
        homes.column_names.index("place"),
        "place",
        pa.DictionaryArray.from_arrays(code.indices, placed).dictionary_decode(),
    )
    ranks = people.filter(pc.is_valid(people["person"])).group_by("person").aggregate([("rank", "min")])
    known, order = np.asarray(ranks["person"]), np.argsort(np.asarray(ranks["person"]))
    rank = np.asarray(pc.fill_null(ranks["rank_min"], DAY_MAX)).astype(np.int64)
    rows = who.of(homes)
    if not len(rows):
        return (
            rows.select(["subject", "place", "since"])
            .append_column("until", rows["since"])
            .append_column("settlement", rows["settlement"])
        )
    at = (
        order[np.minimum(np.searchsorted(known, np.asarray(rows["person"]), sorter=order), len(known) - 1)]
        if len(known)
        else np.zeros(len(rows), np.int64)
    )
    mine = (
        np.where(known[at] == np.asarray(rows["person"]), rank[at], DAY_MAX)
        if len(known)
        else np.full(len(rows), DAY_MAX)
    )
    subject = np.asarray(rows["subject"])
    best = np.full(len(subjects), DAY_MAX, np.int64)
    np.minimum.at(best, subject, mine)
    since = np.asarray(pc.fill_null(rows["since"], rows["known"]).cast(pa.int32()))
    told = np.asarray(rows["known"].cast(pa.int32()))
    chosen = np.flatnonzero(mine == best[subject])
    chosen = chosen[np.lexsort((np.asarray(rows["row"])[chosen], told[chosen], since[chosen], subject[chosen]))]
    s, d, p = subject[chosen], since[chosen], places._codes(rows["place"])[chosen]
    keep = np.r_[(s[1:] != s[:-1]) | (d[1:] != d[:-1]), True]  # of one day, the latest word
    chosen, s, d, p = chosen[keep], s[keep], d[keep], p[keep]
    new = np.r_[True, s[1:] != s[:-1]]
    keep = new | np.r_[True, p[1:] != p[:-1]]
    chosen, s, d = chosen[keep], s[keep], d[keep]
    first, last = np.r_[True, s[1:] != s[:-1]], np.r_[s[1:] != s[:-1], True]
    birth = np.asarray(subjects["birth"].cast(pa.int32()))[s]
    start = np.where(first, np.minimum(d, birth), d)
    end = np.r_[d[1:] - 1, 0]
    spells = {
        "subject": s,
        "place": rows["place"].take(pa.array(chosen)),
        "since": pa.array(start.astype(np.int32)).cast(pa.date32()),
    }
    spells["until"] = pa.array(end.astype(np.int32), mask=last).cast(pa.date32())
    return pa.table(spells | {"settlement": rows["settlement"].take(pa.array(chosen))})


def _services(ws: Workspace, programme: Programme, day: dt.date, who: _Who) -> pa.Table:
    """Distinct (subject, service, day), sorted: packed in one number each, because a country has 150 million."""
    packed = [np.zeros(0, np.int64)]
    for part in matching.derived(ws, programme):
        known, gone = np.asarray(part["known"]), np.asarray(part["gone"])
        part = part.filter(pa.array((known <= days_of(day)) & (days_of(day) < gone)))
        row, subject = who.spread(np.asarray(part["person"]))
        service, on = np.asarray(part["service"])[row].astype(np.int64), np.asarray(part["day"])[row].astype(np.int64)
        packed.append(subject.astype(np.int64) << 32 | service << 20 | on + _DAY_ZERO)
    whole = np.unique(np.concatenate(packed))
    days = (whole & 0xFFFFF) - _DAY_ZERO
    return pa.table({
        "subject": (whole >> 32).astype(np.int32),
        "service": (whole >> 20 & 0xFFF).astype(np.int16),
        "day": pa.array(days.astype(np.int32)).cast(pa.date32()),
    })  # fmt: skip


_DAY_ZERO = 1 << 19
"""Added to days since 1970 so that none is negative in 20 bits (534 to 3405)."""


def missing(ws: Workspace, programme: Programme, kind: str, values: pa.Array) -> pa.Array:
    """Those of the values that have not arrived: persons no registry or patient master names, codes of no table."""
    if kind != "person":
        return places.missing(ws, programme, kind, values)
    import ibis

    con = ws.connect()
    wanted = ibis.memtable(pa.table({"person": values}))
    for table, column in (("people", "person"), ("same_as", "a"), ("same_as", "b")):
        rows = ws.lake.read(con, table)
        wanted = wanted.anti_join(rows.select(person=rows[column]), "person")
    return con.to_pyarrow(wanted)["person"].combine_chunks()
