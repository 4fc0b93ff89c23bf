"""Which services the items of a contact prove (design 4.1), for all contacts at once, and kept beside the lake.

Rows of one contact with one code are one item, with a set of types, a set of LABs and its measurements. Rows that came
(or went) on different days make states of the contact, each with the known days it held.
"""

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from winay.programme.load import Programme
from winay.programme.services import Condition, Matcher
from winay.records import places, runs
from winay.records.tables import DAY_MAX
from winay.workspace import disk
from winay.workspace.folder import Workspace

COLUMNS = ("contact", "person", "day", "provider", "code", "type", "lab", "haemoglobin", "weight", "height")
Sets = NDArray[np.uint64]
"""[item, word]: a set of small numbers as bits."""


def derive(ws: Workspace, programme: Programme) -> Path:
    """Bring the derived services up to the finished loads; returns their folder. One file a load: the contacts it
    touched. A contact touched again moves to the file of its last load."""
    folder = ws.derived / "services" / _mark(ws, programme)
    folder.mkdir(parents=True, exist_ok=True)
    loads = sorted(ws.ledger.finished())
    holding = {file.load for table in ("items", "withdrawn") for file in ws.ledger.files(table) if file.kind == "data"}
    for load in loads:
        if load not in holding or (folder / f"{load:06d}.parquet").exists():
            continue
        upto = [n for n in loads if n <= load or (folder / f"{n:06d}.parquet").exists()]
        rows, old = _touched(ws, load, upto)
        if old:
            _forget(folder, np.unique(np.asarray(rows["contact"])))
        with disk.staged(folder / f"{load:06d}.parquet") as draft:
            pq.write_table(services(programme, rows, providers(ws, programme)), draft, compression="snappy")
    return folder


def derived(ws: Workspace, programme: Programme) -> Iterator[pa.Table]:
    """The derived services, a file at a time, sorted by person: person, service, day, known, gone (int32 days), contact.
    A row holds on the known days from `known` to the day before `gone`."""
    folder = derive(ws, programme)
    wanted = {f"{load:06d}.parquet" for load in ws.ledger.finished()}
    for path in sorted(folder.glob("*.parquet")):
        if path.name in wanted:
            yield pq.read_table(path, partitioning=None)


def services(programme: Programme, rows: pa.Table, providers: pa.Table | None = None) -> pa.Table:
    """What rows of items (COLUMNS, and int32 days `known`, `gone`) prove: one row a person, service, day and state."""
    relevant = _codes(programme)
    if relevant is not None:
        rows = rows.filter(pc.is_in(rows["code"], pa.array(sorted(relevant), pa.string())))
    items = Items(programme, rows, providers)
    found = [np.flatnonzero(items.holds(programme.services[name])) for name in programme.service_numbers]
    at = np.concatenate([np.zeros(0, np.int64), *found])
    numbers = np.array(list(programme.service_numbers.values()), np.int16)
    made = items.given.select(["person", "day", "contact"]).take(pa.array(items.row[at]))
    made = made.set_column(1, "day", made["day"].cast(pa.int32()))
    made = made.append_column("service", pa.array(np.repeat(numbers, [len(part) for part in found])))
    made = made.append_column("known", pa.array(items.known[at])).append_column("gone", pa.array(items.gone[at]))
    return made.sort_by([(name, "ascending") for name in ("person", "service", "day", "known")])


class Items:
    """Items of contacts in arrays, one entry an item: its first `row` of what was given, `group` (a state of a contact),
    and the known days the state held. `rows`: all rows, item after item; `starts`: where each item begins in them."""

    def __init__(self, programme: Programme, given: pa.Table, providers: pa.Table | None) -> None:
        self.programme, self.providers, self.given = programme, providers, given.combine_chunks()
        code = runs.coded(given["code"])
        row, state, begins, ends = _states(given)
        order = np.lexsort((code[row], state))
        self.rows, state = row[order], state[order]
        self.starts = runs.starts(state, code[self.rows])
        self.row, self.group = self.rows[self.starts], state[self.starts]
        self.known, self.gone = begins[self.group], ends[self.group]
        self.sets = {name: _Bits(self.given[name].combine_chunks(), self.rows, self.starts) for name in ("type", "lab")}
        self.memory: dict[str, NDArray[np.bool_]] = {}

    def holds(self, m: Matcher) -> NDArray[np.bool_]:
        """For each item, whether all that the matcher says holds for it."""
        right = np.ones(len(self.starts), bool)
        if m.code is not None:
            right &= self._in("code", pa.array(m.code, pa.string()))
        counted = self.programme.head.counted_types if m.code is not None else []
        if types := m.type or counted:
            right &= self.sets["type"].any(types)
        if m.lab is not None:
            right &= self.sets["lab"].any(m.lab)
        if m.lab_not is not None:
            right &= ~self.sets["lab"].any(m.lab_not)
        for measure, condition in (m.value or {}).items():
            right &= self._measured(measure, condition)
        for attribute, wanted in (m.provider or {}).items():
            assert self.providers is not None
            named = self.providers.filter(
                pc.is_in(self.providers[attribute].cast(pa.string()), pa.array(wanted, pa.string()))
            )
            right &= self._in("provider", named["provider"].combine_chunks())
        if m.with_ is not None:
            right &= self._beside(m.with_)
        if m.without is not None:
            right &= ~self._beside(m.without)
        if m.is_ is not None:
            right &= self._service(m.is_)
        for part in m.all_ or []:
            right &= self.holds(part)
        if m.any_ is not None:
            right &= np.logical_or.reduce([self.holds(part) for part in m.any_])
        return right

    def _in(self, column: str, words: pa.Array) -> NDArray[np.bool_]:
        """For each item, whether its first row has one of the words."""
        there: NDArray[np.bool_] = np.asarray(pc.is_in(self.given[column], words))[self.row]
        return there

    def _service(self, name: str) -> NDArray[np.bool_]:
        if name not in self.memory:
            self.memory[name] = self.holds(self.programme.services[name])
        return self.memory[name]

    def _beside(self, matchers: list[Matcher]) -> NDArray[np.bool_]:
        """For each item, whether some other item of its contact is matched by one of the matchers."""
        some = np.logical_or.reduce([self.holds(m) for m in matchers])
        count = np.bincount(self.group[some], minlength=int(self.group.max(initial=-1)) + 1)
        others: NDArray[np.bool_] = count[self.group] > some
        return others

    def _measured(self, measure: str, condition: Condition) -> NDArray[np.bool_]:
        """For each item, whether a row of it has a value in the range."""
        values = np.asarray(pc.fill_null(self.given[measure], np.nan))[self.rows]
        right = ~np.isnan(values)
        right &= values >= condition.from_ if condition.from_ is not None else True
        right &= values <= condition.to if condition.to is not None else True
        right &= values < condition.below if condition.below is not None else True
        return np.logical_or.reduceat(right, self.starts) if len(self.starts) else right


class _Bits:
    """A set of words for each item, as bits of one or more 64-bit numbers."""

    def __init__(self, words: Any, row: NDArray[np.int64], starts: NDArray[np.int64]) -> None:
        coded = words.dictionary_encode()
        self.place = {word: number for number, word in enumerate(coded.dictionary.to_pylist())}
        number = np.asarray(pc.fill_null(coded.indices, -1))[row].astype(np.int64)
        self.bits = np.zeros((len(starts), len(self.place) // 64 + 1), np.uint64)
        for word in range(self.bits.shape[1] if len(starts) else 0):
            mine = np.where(number >> 6 == word, np.uint64(1) << (number & 63).astype(np.uint64), np.uint64(0))
            self.bits[:, word] = np.bitwise_or.reduceat(mine, starts)

    def any(self, words: Collection[str]) -> NDArray[np.bool_]:
        mask = np.zeros(self.bits.shape[1], np.uint64)
        for number in (self.place[word] for word in words if word in self.place):
            mask[number >> 6] |= np.uint64(1 << (number & 63))
        found: NDArray[np.bool_] = np.any(self.bits & mask, axis=1)
        return found


def _states(given: pa.Table) -> tuple[Any, Any, Any, Any]:
    """(row, state of the row, first known day of each state, the day it ended).

    A contact (one person, one day) has a state for each span of known days between the coming and going of its rows; a
    row is in every state that it was in force in. Most contacts came whole and have one.
    """
    known, gone, contact = (np.asarray(given[name]) for name in ("known", "gone", "contact"))
    person, day = np.asarray(pc.fill_null(given["person"], -1)), np.asarray(given["day"].cast(pa.int32()))
    order = np.lexsort((day, person, contact))
    first = runs.starts(contact[order], person[order], day[order])
    group = np.empty(len(order), np.int64)
    group[order] = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(order))))
    begins, ends = np.full(len(first), DAY_MAX), np.full(len(first), -DAY_MAX)
    np.minimum.at(begins, group, known)
    np.maximum.at(ends, group, gone)
    mixed = np.unique(group[(known != begins[group]) | (gone != ends[group])])
    calm, several = np.flatnonzero(~np.isin(group, mixed)), np.flatnonzero(np.isin(group, mixed))
    borders = np.unique(np.concatenate([np.stack([group, t], 1)[several] for t in (known, gone)]), axis=0)
    spans = np.flatnonzero(borders[1:, 0] == borders[:-1, 0])
    owner, opens, closes = borders[spans, 0], borders[spans, 1], borders[spans + 1, 1]
    at = np.searchsorted(owner, group[several])
    which, span = runs.spread(at, np.searchsorted(owner, group[several], "right") - at)
    row = several[which]
    there = (known[row] <= opens[span]) & (closes[span] <= gone[row])
    rows, states = np.append(calm, row[there]), np.append(group[calm], len(first) + span[there])
    return rows, states, np.append(begins, opens).astype(np.int32), np.append(ends, closes).astype(np.int32)


def _touched(ws: Workspace, load: int, loads: Collection[int]) -> tuple[pa.Table, bool]:
    """Every row of the contacts that a load brought, or of which it withdrew a row; was any of them there before?"""
    con = ws.connect()
    items, gone = ws.lake.read(con, "items", loads), ws.lake.read(con, "withdrawn", loads)
    gone = gone.filter(gone.table == "items")
    until = gone.group_by(["gone", "of"]).aggregate(ended=gone["from"].min())
    mine = gone.filter(gone.load == load).select("gone", "of")
    went = items.semi_join(mine, [("row", "gone"), ("load", "of")]).select("contact")
    contacts = items.filter(items.load == load).select("contact").union(went).distinct()
    old = bool(items.filter(items.load != load).semi_join(contacts, "contact").count().execute())
    rows = items.semi_join(contacts, "contact") if old else items.filter(items.load == load)
    rows = rows.left_join(until, [("row", "gone"), ("load", "of")])
    rows = rows.mutate(known=rows.known.epoch_days(), gone=rows.ended.epoch_days().fill_null(DAY_MAX))
    rows = rows.filter(rows.known < rows.gone).select(*COLUMNS, "known", "gone")
    return rows.cast({"known": "int32", "gone": "int32"}).to_pyarrow(), old


def _forget(folder: Path, contacts: NDArray[np.int64]) -> None:
    """Take contacts out of the files that have them; they are written again by the load that touched them."""
    for path in sorted(folder.glob("*.parquet")):
        rows = pq.read_table(path, partitioning=None)
        stays = ~np.isin(np.asarray(rows["contact"]), contacts)
        if not stays.all():
            with disk.staged(path) as draft:
                pq.write_table(rows.filter(pa.array(stays)), draft, compression="snappy")


def _codes(programme: Programme) -> set[str] | None:
    """The codes that any matcher looks at; None when one of them looks at every code."""

    def inside(m: Matcher) -> list[Matcher]:
        return [*(m.all_ or []), *([programme.services[m.is_]] if m.is_ else [])]

    def own(m: Matcher) -> set[str] | None:
        """The codes of the items that it can match."""
        if m.code is not None:
            return set(m.code)
        some = [own(part) for part in m.any_ or []]
        found = [codes for codes in map(own, inside(m)) if codes is not None]
        found += [set().union(*(c for c in some if c))] if some and None not in some else []
        return set().union(*found) if found else None

    def beside(m: Matcher) -> Iterator[set[str] | None]:
        """The codes of the other items that it asks for."""
        for other in (*(m.with_ or []), *(m.without or [])):
            yield own(other)
            yield from beside(other)
        for part in (*inside(m), *(m.any_ or [])):
            yield from beside(part)

    found = [codes for m in programme.services.values() for codes in (own(m), *beside(m))]
    return None if None in found else set().union(*(codes for codes in found if codes))


def providers(ws: Workspace, programme: Programme) -> pa.Table | None:
    if not _asks_providers(programme):
        return None
    return places.known(programme, "providers", ws.lake.read(ws.connect(), "providers").to_pyarrow())


def _asks_providers(programme: Programme) -> bool:
    waiting = list(programme.services.values())
    while waiting:
        matcher = waiting.pop()
        if matcher.provider:
            return True
        waiting += matcher.parts()
    return False


def _mark(ws: Workspace, programme: Programme) -> str:
    """Names what the services depend on besides the items: the matchers and, where one asks, the facilities loaded."""
    said = [
        f"{name} {m.model_dump_json(exclude={'name', 'legal', 'product'})}"
        for name, m in sorted(programme.services.items())
    ]
    said += programme.head.counted_types
    if _asks_providers(programme):
        said += [f"{file.name} {file.sha256}" for file in ws.ledger.files("providers") if file.kind == "data"]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
