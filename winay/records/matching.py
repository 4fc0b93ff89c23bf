"""Which services the items of a contact prove (design 4.1), for all contacts at once, and kept beside the lake.

Rows of one contact with one code are one item, with a set of types, a set of LABs and its measurements. Rows that came
(or went) on different days make states of the contact, each with the known days it held.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from winay.core.ages import days_of
from winay.programme.load import Programme
from winay.programme.services import Condition, Matcher
from winay.records import places
from winay.records.tables import DAY_MAX
from winay.workspace import disk
from winay.workspace.folder import Workspace

COLUMNS = ("contact", "person", "day", "provider", "code", "type", "lab", "haemoglobin", "weight", "height")
DERIVED = pa.schema(
    {"person": pa.int64(), "day": pa.int32(), "contact": pa.int64(), "service": pa.int16()}
    | {"known": pa.int32(), "gone": pa.int32()}
)
"""Days are days since 1970. A row holds on the known days from `known` to the day before `gone`."""
Marks = NDArray[np.bool_]
Rows = NDArray[np.int64]


def derive(ws: Workspace, programme: Programme) -> list[Path]:
    """Bring the derived services (DERIVED, sorted by person, service, day) up to the finished loads; returns their files.
    One file a load: the contacts it touched. A contact touched again moves to the file of its last load."""
    folder = ws.derived / "services" / _mark(ws, programme)
    folder.mkdir(parents=True, exist_ok=True)
    holding = {file.load for table in ("items", "withdrawn") for file in ws.ledger.files(table) if file.is_data}
    files = {load: folder / f"{load:06d}.parquet" for load in sorted(holding)}
    for load, path in files.items():
        if not path.exists():
            rows, old = _touched(ws, load, [n for n in files if n <= load or files[n].exists()])
            if old:
                _forget(files.values(), np.unique(np.asarray(rows["contact"])))
            _write(path, services(programme, rows, providers(ws, programme)))
    return list(files.values())


def derived(ws: Workspace, programme: Programme, con: Any, day: dt.date) -> Any:
    """The derived services as they were known on a day (Ibis on `con`)."""
    files = [disk.literal(path) for path in derive(ws, programme)]
    rows = con.read_parquet(files) if files else ibis.memtable(DERIVED.empty_table())
    return rows.filter((rows.known <= days_of(day)) & (rows.gone > days_of(day)))


def services(programme: Programme, rows: pa.Table, providers: pa.Table | None = None) -> pa.Table:
    """What rows of items (COLUMNS, and int32 days `known`, `gone`) prove: DERIVED, one row a person, service, day and
    state of the contact."""
    codes = _codes(programme)
    if codes is not None:
        rows = rows.filter(pc.is_in(rows["code"], pa.array(sorted(codes), pa.string())))
    items = Items(programme, rows, providers)
    found = [np.flatnonzero(items.holds(matcher)) for matcher in programme.services.values()]
    at = np.concatenate([np.zeros(0, np.int64), *found])
    made = rows.select(["person", "day", "contact"]).take(pa.array(items.first[at]))
    numbers = np.array([programme.service_numbers[name] for name in programme.services], np.int16)
    service = np.repeat(numbers, [len(part) for part in found])
    for name, column in (("service", service), ("known", items.known[at]), ("gone", items.gone[at])):
        made = made.append_column(name, pa.array(column))
    return made.cast(DERIVED).sort_by([(name, "ascending") for name in ("person", "service", "day", "known")])


class Items:
    """Items of contacts in arrays, one entry an item: its `first` row of what was given, `state` (of a contact), and the
    days from `known` to `gone` that the state held. `rows`: all rows, item after item; `starts`: where each begins."""

    def __init__(self, programme: Programme, given: pa.Table, providers: pa.Table | None) -> None:
        self.programme, self.providers, self.given = programme, providers, given
        row, state, known, gone = _states(given)
        words, code = _coded(given["code"])
        order = np.lexsort((code[row], state))
        self.rows, state = row[order], state[order]
        self.coded = {"code": (words, code[self.rows])}
        self.starts = starts(state, code[self.rows])
        self.first, self.state = self.rows[self.starts], state[self.starts]
        self.known, self.gone = known[self.state], gone[self.state]
        self.services: dict[str, Marks] = {}

    def holds(self, m: Matcher) -> Marks:
        """For each item, whether all that the matcher says holds for it."""
        right = np.ones(len(self.starts), bool)
        for condition in self._conditions(m):
            right &= condition
        return right

    def _conditions(self, m: Matcher) -> Iterator[Marks]:
        if m.code is not None:
            yield self._has("code", m.code)
        if types := m.type or (self.programme.head.counted_types if m.code is not None else []):
            yield self._has("type", types)
        if m.lab is not None:
            yield self._has("lab", m.lab)
        if m.lab_not is not None:
            yield ~self._has("lab", m.lab_not)
        for measure, condition in (m.value or {}).items():
            yield self._some(_within(np.asarray(pc.fill_null(self.given[measure], np.nan))[self.rows], condition))
        for attribute, wanted in (m.provider or {}).items():
            assert self.providers is not None
            right = pc.is_in(self.providers[attribute].cast(pa.string()), pa.array(wanted, pa.string()))
            yield self._has("provider", self.providers["provider"].filter(right).to_pylist())
        if m.with_ is not None:
            yield self._beside(m.with_)
        if m.without is not None:
            yield ~self._beside(m.without)
        if m.is_ is not None:
            if m.is_ not in self.services:
                self.services[m.is_] = self.holds(self.programme.services[m.is_])
            yield self.services[m.is_]
        yield from map(self.holds, m.all_ or [])
        if m.any_ is not None:
            yield np.logical_or.reduce([self.holds(part) for part in m.any_])

    def _some(self, right: Marks) -> Marks:
        """For each item, whether one of its rows is right."""
        return np.logical_or.reduceat(right, self.starts) if len(right) else right

    def _has(self, column: str, wanted: Collection[str]) -> Marks:
        """For each item, whether one of its rows has one of the words."""
        if column not in self.coded:
            words, numbers = _coded(self.given[column])
            self.coded[column] = words, numbers[self.rows]
        words, numbers = self.coded[column]
        right = np.append(np.isin(words, list(wanted)), False)  # the last is for no word, -1
        return right[numbers[self.starts]] if column == "code" else self._some(right[numbers])

    def _beside(self, matchers: list[Matcher]) -> Marks:
        """For each item, whether some other item of its contact is matched by one of the matchers."""
        some = np.logical_or.reduce([self.holds(m) for m in matchers])
        count = np.bincount(self.state[some], minlength=int(self.state.max(initial=-1)) + 1)
        others: Marks = count[self.state] > some
        return others


def starts(*columns: Any) -> Rows:
    """The first row of each run of equal rows in sorted columns."""
    new = np.ones(len(columns[0]), bool)
    new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return np.flatnonzero(new)


def _coded(column: pa.ChunkedArray) -> tuple[list[str], Rows]:
    """The words of a column, and the place of each row's word among them: -1 where it has none."""
    coded = column.combine_chunks().dictionary_encode()
    return coded.dictionary.to_pylist(), np.asarray(pc.fill_null(coded.indices, -1))


def _within(values: NDArray[np.float64], condition: Condition) -> Marks:
    right = ~np.isnan(values)
    right &= values >= condition.from_ if condition.from_ is not None else True
    right &= values <= condition.to if condition.to is not None else True
    right &= values < condition.below if condition.below is not None else True
    return right


def _states(given: pa.Table) -> tuple[Rows, Rows, NDArray[np.int32], NDArray[np.int32]]:
    """(row, state of the row, first known day of each state, the day it ended).

    A contact (one person, one day) has a state for each span of known days between the coming and going of its rows; a
    row is in every state that it was in force in. Most contacts came whole and have one.
    """
    names = [np.asarray(given[name]) for name in ("contact", "known", "gone")]
    person, day = np.asarray(pc.fill_null(given["person"], -1)), np.asarray(given["day"].cast(pa.int32()))
    order = np.lexsort((day, person, names[0]))
    contact, known, gone = (column[order] for column in names)
    first = starts(contact, person[order], day[order])
    state = np.repeat(np.arange(len(first)), np.diff(first, append=len(order)))
    if not len(first):
        return order, state, known, gone
    begins, ends = np.minimum.reduceat(known, first), np.maximum.reduceat(gone, first)
    several = np.isin(state, state[(known != begins[state]) | (gone != ends[state])])
    rows = pd.DataFrame({"row": order, "state": state, "known": known, "gone": gone})[several]
    borders = pd.concat([rows[["state", name]].set_axis(["state", "opens"], axis=1) for name in ("known", "gone")])
    spans = borders.drop_duplicates().sort_values(["state", "opens"])
    spans["closes"] = spans.groupby("state")["opens"].shift(-1)
    spans = spans.dropna(ignore_index=True)
    rows = rows.merge(spans.reset_index(names="span"), on="state")
    rows = rows[(rows["known"] <= rows["opens"]) & (rows["closes"] <= rows["gone"])]
    states = np.append(state[~several], len(first) + rows["span"])
    begins, ends = np.append(begins, spans["opens"]), np.append(ends, spans["closes"])
    return np.append(order[~several], rows["row"]), states, begins.astype(np.int32), ends.astype(np.int32)


def _touched(ws: Workspace, load: int, loads: Collection[int]) -> tuple[pa.Table, bool]:
    """Every row of the contacts that a load brought, or of which it withdrew a row; was any of them there before?"""
    con = ws.connect()
    items, gone = ws.lake.read(con, "items", loads), ws.lake.read(con, "withdrawn", loads)
    gone = gone.filter(gone.table == "items")
    until = gone.group_by(["gone", "of"]).aggregate(ended=gone["from"].min())
    came = items.filter(items.load == load)
    went = items.semi_join(gone.filter(gone.load == load), [("row", "gone"), ("load", "of")])
    contacts = came.select("contact").union(went.select("contact"), distinct=True)
    old = bool(items.filter(items.load != load).semi_join(contacts, "contact").count().execute())
    rows = items.semi_join(contacts, "contact") if old else came
    rows = rows.left_join(until, [("row", "gone"), ("load", "of")])
    rows = rows.mutate(known=rows.known.epoch_days(), gone=rows.ended.epoch_days().fill_null(DAY_MAX))
    rows = rows.filter(rows.known < rows.gone).select(*COLUMNS, "known", "gone")
    return rows.cast({"known": "int32", "gone": "int32"}).to_pyarrow(), old


def _forget(files: Iterable[Path], contacts: Rows) -> None:
    """Take contacts out of the files that have them; they are written again by the load that touched them."""
    for path in (path for path in files if path.exists()):
        rows = pq.read_table(path, partitioning=None)
        stays = ~np.isin(np.asarray(rows["contact"]), contacts)
        if not stays.all():
            _write(path, rows.filter(pa.array(stays)))


def _write(path: Path, rows: pa.Table) -> None:
    with disk.staged(path) as draft:
        pq.write_table(rows, draft, compression="zstd")


def _codes(programme: Programme) -> set[str] | None:
    """The codes that the matchers name; None when one of them can match an item of any other code."""

    def bound(m: Matcher) -> bool:
        return bool(m.code or m.is_ or any(map(bound, m.all_ or [])) or (m.any_ and all(map(bound, m.any_))))

    services = programme.services.values()
    every = [*_every(services)]
    beside = (other for m in every for other in (*(m.with_ or []), *(m.without or [])))
    return {code for m in every for code in m.code or []} if all(map(bound, (*services, *beside))) else None


def _every(matchers: Iterable[Matcher]) -> Iterator[Matcher]:
    """These and all that they are made of."""
    for matcher in matchers:
        yield matcher
        yield from _every(matcher.parts())


def providers(ws: Workspace, programme: Programme) -> pa.Table | None:
    """The facilities, if a matcher asks for something of them."""
    if not any(m.provider for m in _every(programme.services.values())):
        return None
    return places.known(programme, "providers", ws.lake.read(ws.connect(), "providers").to_pyarrow())


def _mark(ws: Workspace, programme: Programme) -> str:
    """Names what the services depend on besides the items: the matchers and, where one asks, the facilities loaded."""
    unsaid = {"name", "legal", "product"}
    said = [f"{name} {m.model_dump_json(exclude=unsaid)}" for name, m in sorted(programme.services.items())]
    said += programme.head.counted_types
    if any(m.provider for m in _every(programme.services.values())):
        said += [f"{file.name} {file.sha256}" for file in ws.ledger.files("providers") if file.is_data]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
