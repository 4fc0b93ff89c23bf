"""What is known on a day: the only place with the second time axis. Tables in the lake -> people with their histories.

A record is in force from its `known` day until another version, or a `--replaces`, withdraws it. A subject is whom a
ranked row of a registry lists; its rows merge by rank, then known day, each attribute from the best row that has it.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from winay.programme.load import Programme
from winay.records import growth, link, matching, places, tables
from winay.records.tables import DAY_MAX
from winay.workspace.folder import Workspace

LATER = ("known", "version", "row", "load", "line")
"""The order of rows in time and content, so that the order of loads never shows."""
SERVICES = pa.schema([("subject", pa.int32()), ("service", pa.int16()), ("day", pa.date32())])


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
    """The whole workspace as it was known on `day`; `decided`: what people decided of who is who. The last is kept."""
    ws.lake.declare(tables.schemas(programme))
    return _known_by(ws, programme, day, tuple(decided), ws.ledger.finished())


@lru_cache(maxsize=1)
def _known_by(
    ws: Workspace, programme: Programme, day: dt.date, decided: tuple[link.Decision, ...], loads: frozenset[int]
) -> Known:
    con = ws.connect()
    rows = partial(in_force, ws, con, day=day, loads=loads)
    people = rows("people").filter(lambda row: row.person.notnull() & row.birth.notnull())
    people = ibis.memtable(con.to_pyarrow(people))  # read once
    who = ibis.memtable(_who(con, people, rows("same_as"), [d for d in decided if d.holds(day)]))
    subjects = con.to_pyarrow(_subjects(programme, people.join(who, "person")))
    births = ibis.memtable(subjects).select("subject", "birth", one="person")
    members = con.to_pyarrow(who.join(births, "one").select("subject", "person").order_by("subject", "person"))
    of = ibis.memtable(members)
    tree = places.known(programme, "places", con.to_pyarrow(rows("places")))
    homes = _placed(rows("residences"), places.own_codes(tree, tables.code_systems(programme), day))
    ranks = people.group_by("person").aggregate(best=people["rank"].min())
    homes = homes.join(of, "person").left_join(ranks, "person").join(births, "subject")
    spells = con.to_pyarrow(_spells(homes))
    services = matching.derived(ws, programme, con, day).join(of, "person").select(SERVICES.names)
    if programme.measures:
        measured = con.to_pyarrow(_measurements(rows("items").join(of, "person")))
        services = services.union(ibis.memtable(_proved(programme, measured, subjects, spells, tree)))
    services = services.distinct()
    enrolments = rows("enrolments").join(of, "person").select("subject", "programme", "since", "until")
    exits = rows("exits").join(of, "person").select("subject", "day", "kind")
    items = rows("items").filter(lambda row: row.provider.notnull())
    reported = items.select("provider", month=items.day.truncate("M").cast("date")).distinct()
    return Known(
        day=day,
        subjects=subjects,
        members=members,
        residences=spells,
        services=con.to_pyarrow(services.order_by(services.columns)).cast(SERVICES),
        enrolments=con.to_pyarrow(enrolments.order_by(enrolments.columns)),
        exits=con.to_pyarrow(exits.order_by(exits.columns)),
        providers=places.known(programme, "providers", con.to_pyarrow(rows("providers"))),
        places=tree,
        reported=con.to_pyarrow(reported.order_by(reported.columns)),
        loads=loads,
    )


def in_force(ws: Workspace, con: Any, table: str, day: dt.date, loads: Collection[int]) -> Any:
    """The rows of a table, of these loads, that are in force on a day (Ibis on `con`)."""
    gone = ws.lake.read(con, "withdrawn", loads)
    gone = gone.filter((gone.table == table) & (gone["from"] <= day)).select("gone", "of").distinct()
    rows = ws.lake.read(con, table, loads)
    return rows.filter(rows.known <= day).anti_join(gone, [("row", "gone"), ("load", "of")])


def _who(con: Any, people: Any, same: Any, decided: Sequence[link.Decision]) -> pa.Table:
    """One row an identifier: person, and `one`: the identifier of the same person that was known earliest."""
    same = same.filter(same.a.notnull() & same.b.notnull())
    joined = pa.table({"person": pa.array([n for d in decided for n in (d.a, d.b)], pa.int64())})
    decided_on = ibis.memtable(joined).mutate(known=ibis.null("date"))
    ends = [same.select("known", person=end) for end in ("a", "b")]
    named = ibis.union(people.select("person", "known"), decided_on, *ends)
    seen = named.group_by("person").aggregate(known=named.known.min()).order_by("known", "person")
    persons, edges = np.asarray(con.to_pyarrow(seen)["person"]), con.to_pyarrow(same.select("a", "b"))
    one = link.components(persons, np.asarray(edges["a"]), np.asarray(edges["b"]), decided)
    return pa.table({"person": persons, "one": one})


def _subjects(programme: Programme, people: Any) -> Any:
    """One row a subject: one a person (`one`), or, of kinds that are episodes, one a person and day."""
    episodes = [kind for kind, said in programme.head.subjects.items() if said.episodes]
    people = people.mutate(
        episode=people.kind.isin(episodes).ifelse(people.birth, ibis.null("date")),
        turn=ibis.row_number().over(order_by=[people["rank"].desc(nulls_first=True), *LATER]),
    )
    hidden = {"one", "episode", "turn", "kind", "person", "source", *tables.BOOKKEEPING}
    told = [people[name] for name in people.columns if name not in hidden]
    best = {column.get_name(): column.last(order_by=people.turn) for column in told}  # the last that is not null
    whole = people.group_by("kind", "episode", person=people.one).aggregate(**best)
    whole = whole.filter(whole["rank"].notnull()).drop("episode", "rank")
    number = ibis.row_number().over(order_by=["kind", "birth", "person"]).cast("int32")
    return whole.select(number.name("subject"), *whole.columns).order_by("subject")


def _placed(homes: Any, own: dict[str, str]) -> Any:
    """The homes by codes of our own system."""
    codes = ibis.memtable(pa.table({"code": pa.array(own, pa.string()), "own": pa.array(own.values(), pa.string())}))
    homes = homes.left_join(codes, homes.place == codes.code)
    return homes.mutate(place=homes.own.fill_null(homes.place), since=homes.since.fill_null(homes.known))


def _spells(homes: Any) -> Any:
    """Where each subject lives from when to when: of its best ranked row that says so, the latest word for each day.

    homes: rows of residences with their subject, its birth, and `best`: the rank of the identifier that says so.
    """
    homes = homes.mutate(best=homes.best.fill_null(DAY_MAX))
    homes = homes.filter(homes.best == homes.best.min().over(group_by="subject"))
    homes = homes.mutate(after=homes.row.lead().over(group_by=["subject", "since"], order_by=LATER))
    homes = homes.filter(homes.after.isnull())
    days = ibis.window(group_by="subject", order_by="since")
    homes = homes.mutate(first=ibis.row_number().over(days) == 0, before=homes.place.lag().over(days))
    homes = homes.filter(homes["first"] | ~homes.place.identical_to(homes.before))
    homes = homes.mutate(until=homes.since.lead().over(days) - ibis.interval(days=1))
    since = homes["first"].ifelse(ibis.least(homes.since, homes.birth), homes.since)
    spells = {"since": since, "until": homes.until.cast("date"), "settlement": homes.settlement}
    return homes.select("subject", "place", **spells).order_by("subject", "since")


def _measurements(items: Any) -> Any:
    """What was measured of each subject on each day."""
    items = items.filter(items.weight.notnull() | items.height.notnull() | items.haemoglobin.notnull())
    values = {name: items[name].max() for name in ("weight", "height", "haemoglobin")}
    return items.group_by("subject", "day").aggregate(**values)


def _proved(programme: Programme, rows: pa.Table, subjects: pa.Table, spells: pa.Table, tree: pa.Table) -> pa.Table:
    """What measurements prove, as rows of services; the day as matching.DERIVED has it.

    Haemoglobin is read at the altitude of the place where somebody lived that day: the last spell begun by then.
    """
    told = [name for name in ("subject", "birth", "sex") if name in subjects.column_names]
    asked = sorted({rule.altitude for rule in programme.haemoglobin.values()})
    who, homes, around = (
        table.to_pandas(date_as_object=False)
        for table in (
            subjects.select(told),
            spells.select(["subject", "place", "since"]),
            tree.select(["place", *asked]),
        )
    )
    measured = rows.to_pandas(date_as_object=False).merge(who, on="subject").sort_values("day")
    lived = pd.merge_asof(measured, homes.sort_values("since"), left_on="day", right_on="since", by="subject")
    made = growth.proved(programme, lived.merge(around.drop_duplicates("place"), on="place", how="left"))
    days = made["day"].to_numpy("datetime64[D]").astype(np.int32)
    columns = made["subject"].to_numpy(np.int32), made["service"].to_numpy(np.int16), days
    return pa.table(dict(zip(SERVICES.names, columns, strict=True)))


def missing(ws: Workspace, programme: Programme, kind: str, values: pa.Array) -> pa.Array:
    """Those of the values that have not arrived: persons no registry or patient master names, codes that neither a load
    nor the programme has (kind: place or provider)."""
    con = ws.connect()
    if kind == "person":
        people, same = ws.lake.read(con, "people"), ws.lake.read(con, "same_as")
        there = ibis.union(
            *(rows.select(value=column) for rows, column in ((people, "person"), (same, "a"), (same, "b")))
        )
    else:
        rows = places.known(programme, f"{kind}s", con.to_pyarrow(ws.lake.read(con, f"{kind}s")))
        codes = rows[kind].to_pylist()
        if kind == "place":
            codes += places.own_codes(rows, tables.code_systems(programme), dt.date.max)
        there = ibis.memtable(pa.table({"value": pa.array(codes, pa.string())}))
    wanted = ibis.memtable(pa.table({"value": values})).anti_join(there, "value")
    return con.to_pyarrow(wanted)["value"].combine_chunks()
