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
from winay.records import places
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
    found: dict[str, list[Any]] = {name: [] for name in ("person", "service", "day", "known", "gone", "contact")}
    for name, number in programme.service_numbers.items():
        at = items.first[items.holds(programme.services[name])]
        values = {"service": np.full(len(at), number, np.int16), "person": items.person[at], "day": items.day[at]}
        for column, value in (
            values | {"known": items.known[at], "gone": items.gone[at], "contact": items.contact[at]}
        ).items():
            found[column].append(value)
    kinds = {"person": np.int64, "contact": np.int64, "service": np.int16}
    whole = {name: np.concatenate([np.zeros(0, kinds.get(name, np.int32)), *parts]) for name, parts in found.items()}
    order = np.lexsort((whole["day"], whole["service"], whole["person"]))
    return pa.table({name: values[order] for name, values in whole.items()})


class Items:
    """Items of contacts in arrays. A group is one state of one contact; `first` is the first row of each item."""

    def __init__(self, programme: Programme, rows: pa.Table, providers: pa.Table | None) -> None:
        self.programme, self.providers = programme, providers
        plain = {
            name: rows[name].combine_chunks() if isinstance(rows[name], pa.ChunkedArray) else rows[name]
            for name in rows.column_names
        }
        contact, self.contact = np.asarray(plain["contact"]), np.asarray(plain["contact"])
        known, gone = np.asarray(plain["known"]), np.asarray(plain["gone"])
        self.person = np.asarray(pc.fill_null(plain["person"], -1))
        self.day = np.asarray(plain["day"].cast(pa.int32()))
        row, state, begins, ends = _states(contact, self.person, self.day, known, gone)
        code = plain["code"].dictionary_encode()
        codes = np.asarray(code.indices)[row]
        order = np.lexsort((codes, state))
        row, state, codes = row[order], state[order], codes[order]
        self.row = row
        self.starts = (
            np.flatnonzero(np.r_[True, (state[1:] != state[:-1]) | (codes[1:] != codes[:-1])])
            if len(row)
            else np.zeros(0, np.int64)
        )
        self.group, self.size = state[self.starts], int(state.max(initial=-1)) + 1
        self.code, self.vocabulary = codes[self.starts], code.dictionary
        self.known, self.gone = begins[state][self.starts], ends[state][self.starts]
        first = row[self.starts]
        self.contact, self.person, self.day = self.contact[first], self.person[first], self.day[first]
        self.first = np.arange(len(self.starts))
        self.plain, self.at = plain, first
        self.sets = {name: _Bits(plain[name], row, self.starts) for name in ("type", "lab")}
        self.memory: dict[str, NDArray[np.bool_]] = {}

    def holds(self, m: Matcher) -> NDArray[np.bool_]:
        """For each item, whether all that the matcher says holds for it."""
        right = np.ones(len(self.starts), bool)
        if m.code is not None:
            wanted = np.asarray(pc.is_in(self.vocabulary, pa.array(m.code, pa.string())))
            right &= wanted[self.code] if len(wanted) else False
        counted = self.programme.head.counted_types if m.code is not None else []
        if types := m.type or counted:
            right &= self.sets["type"].any(types)
        if m.lab is not None:
            right &= self.sets["lab"].any(m.lab)
        if m.lab_not is not None:
            right &= ~self.sets["lab"].any(m.lab_not)
        for measure, condition in (m.value or {}).items():
            right &= self._measured(measure, condition)
        for attribute, wanted_values in (m.provider or {}).items():
            right &= self._provided(attribute, wanted_values)
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

    def _service(self, name: str) -> NDArray[np.bool_]:
        if name not in self.memory:
            self.memory[name] = self.holds(self.programme.services[name])
        return self.memory[name]

    def _beside(self, matchers: list[Matcher]) -> NDArray[np.bool_]:
        """For each item, whether some other item of its contact is matched by one of the matchers."""
        some = np.logical_or.reduce([self.holds(m) for m in matchers])
        count = np.bincount(self.group[some], minlength=self.size)
        others: NDArray[np.bool_] = count[self.group] > some if self.size else some
        return others

    def _measured(self, measure: str, condition: Condition) -> NDArray[np.bool_]:
        """For each item, whether a row of it has a value in the range."""
        values = np.asarray(pc.fill_null(self.plain[measure], np.nan))[self.row]
        right = ~np.isnan(values)
        right &= values >= condition.from_ if condition.from_ is not None else True
        right &= values <= condition.to if condition.to is not None else True
        right &= values < condition.below if condition.below is not None else True
        return np.logical_or.reduceat(right, self.starts) if len(self.starts) else right[:0]

    def _provided(self, attribute: str, wanted: list[str]) -> NDArray[np.bool_]:
        assert self.providers is not None
        rows = self.providers.filter(
            pc.is_in(self.providers[attribute].cast(pa.string()), pa.array(wanted, pa.string()))
        )
        return np.asarray(pc.is_in(self.plain["provider"].take(pa.array(self.at)), rows["provider"].combine_chunks()))


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


def _states(contact: Any, person: Any, day: Any, known: Any, gone: Any) -> tuple[Any, Any, Any, Any]:
    """(row, state of the row, first known day of each state, the day it ended).

    A contact (one person, one day) has a state for each span of known days between the coming and going of its rows; a
    row is in every state that it was in force in. Most contacts came whole and have one.
    """
    order = np.lexsort((day, person, contact))
    new = np.ones(len(order), bool)
    new[1:] = (
        (contact[order][1:] != contact[order][:-1])
        | (person[order][1:] != person[order][:-1])
        | (day[order][1:] != day[order][:-1])
    )
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(new) - 1
    count = int(new.sum())
    begins, ends = np.full(count, DAY_MAX), np.full(count, -DAY_MAX)
    np.minimum.at(begins, group, known)
    np.maximum.at(ends, group, gone)
    whole = np.ones(count, bool)
    whole[group[(known != begins[group]) | (gone != ends[group])]] = False
    calm, mixed = np.flatnonzero(whole[group]), np.flatnonzero(~whole[group])
    row, state = [calm], [group[calm]]
    if len(mixed):
        borders = np.unique(np.concatenate([np.stack([group[mixed], t[mixed]], 1) for t in (known, gone)]), axis=0)
        spans = np.flatnonzero(borders[1:, 0] == borders[:-1, 0])
        owner, opens, closes = borders[spans, 0], borders[spans, 1], borders[spans + 1, 1]
        lo, hi = np.searchsorted(owner, group[mixed]), np.searchsorted(owner, group[mixed], "right")
        mine = np.repeat(mixed, hi - lo)
        span = np.arange(len(mine)) - np.repeat(np.cumsum(hi - lo) - (hi - lo), hi - lo) + np.repeat(lo, hi - lo)
        there = (known[mine] <= opens[span]) & (closes[span] <= gone[mine])
        row.append(mine[there])
        state.append(count + span[there])
        begins, ends = np.concatenate([begins, opens]), np.concatenate([ends, closes])
    return np.concatenate(row), np.concatenate(state), begins.astype(np.int32), ends.astype(np.int32)


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
    made = rows.select(*COLUMNS, "known", "ended").to_pyarrow()
    days = {"known": made["known"].cast(pa.int32()), "gone": pc.fill_null(made["ended"].cast(pa.int32()), DAY_MAX)}
    made = made.drop_columns(["known", "ended"])
    for name, values in days.items():
        made = made.append_column(name, values)
    return made.filter(pc.less(made["known"], made["gone"])), old


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

    def of(m: Matcher) -> set[str] | None:
        parts = [*(m.all_ or []), *([programme.services[m.is_]] if m.is_ else [])]
        own = [set(m.code)] if m.code is not None else [c for p in parts if (c := of(p)) is not None]
        if m.any_:
            some = [of(part) for part in m.any_]
            own += [] if None in some else [set().union(*(c for c in some if c))]
        beside = [of(part) for part in (*(m.with_ or []), *(m.without or []))]
        if not own or None in beside:
            return None
        return set().union(*own, *(c for c in beside if c), *(c for p in parts if (c := of(p))))

    found = [of(matcher) for matcher in programme.services.values()]
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
