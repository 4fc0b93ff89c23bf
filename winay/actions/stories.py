"""Who is owed what on a day, and one subject's story: the same deliveries, seen by place and by person."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from winay.actions import gate
from winay.actions.evaluate import around
from winay.actions.figures import verdict_of
from winay.actions.opening import promised
from winay.core.problems import WinayError, unknown_name, wrong_use
from winay.engine.conditions import walk
from winay.engine.evaluate import evaluate
from winay.engine.stories import deliveries
from winay.engine.tree import Tree
from winay.engine.units import Units
from winay.programme.load import Programme
from winay.records.as_of import Known
from winay.workspace import Workspace
from winay.workspace.vault import show

Row = dict[str, Any]
OWED = ("overdue", "due")
NAMES = ("names", "surname", "second_surname")
HIDDEN = ("subject", "person", "household")
NOT_LATE = -99_999


def due(
    ws: Workspace, caller: gate.Caller, place: str, on: date, known_on: date, *, rules: str | None = None,
    identities: bool = False,
) -> list[Row]:  # fmt: skip
    """One line a subject and product (or service), worst first; households and villages together.

    rules: only what this version owes; without it, what any version in force on the day does. Keys: settlement,
    household, subject, name (null but with `identities`), kind, birth, district, product, delivery, status, since (from
    when), by, until, rules (every version that owes it), days (late; negative: left).
    """
    programme = promised(ws)
    wanted, what, places = _standards(programme, rules, on), f"due {place} {on}", (place,)
    with gate.tables(ws, caller, "follow up", what=what, places=places, identities=identities) as people:
        known = people.known(known_on)
        tree = Tree.of(known.places.to_pylist())
        homes = _living_in(known, tree.below(place, on), on)
        choices, rows = _choices(programme), list[Row]()
        chosen = [name for routes in choices for name in routes]
        asked = _among("standard", wanted) & (_among("status", OWED) | _among("standard", chosen))
        for kind in programme.head.subjects:
            if units := Units.few(kind, known.subjects, known.services, list(homes)):
                found = deliveries(programme, units, around(known), on)
                rows += found.filter(asked).to_pylist()
        owed = _strictest(programme, _begun(choices, rows))
        numbers = sorted({line["subject"] for line in owed})
        persons = dict(zip(numbers, known.subjects.take(pa.array(numbers, pa.int32())).to_pylist(), strict=True))
        names = people.identities([row["person"] for row in persons.values()]) if identities else {}
        people.shown(len(persons))
    told = []
    for line in owed:
        who, home = persons[line["subject"]], homes[line["subject"]]
        named = names.get(who["person"], {})
        row = {"settlement": home["settlement"], "household": show(who["household"]) if who.get("household") else None}
        row |= {"subject": show(who["person"]), "name": " ".join(named[n] for n in NAMES if named.get(n)) or None}
        row |= {"kind": who["kind"], "birth": who["birth"], "district": tree.on(home["place"], on)}
        row |= {name: line[name] for name in ("product", "delivery", "status", "since", "by", "until", "rules")}
        told.append(row | {"days": (on - line["by"]).days if line["by"] else None})
    return _by_household(told)


def _among(column: str, words: Iterable[str]) -> pc.Expression:
    return pc.is_in(pc.field(column), pa.array(words, pa.string()))


def _standards(programme: Programme, rules: str | None, on: date) -> set[str]:
    """The standards of a rule version, or of all that are in force on a day."""
    versions = programme.head.rules
    if rules and rules not in versions:
        raise WinayError(unknown_name(None, "rule version", rules, versions), status=2)
    spans = {name: version.in_force for name, version in versions.items()}
    wanted = [rules] if rules else [name for name, s in spans.items() if s.since <= on <= (s.until or date.max)]
    return {name for name, standard in programme.standards.items() if standard.rules in wanted}


def _living_in(known: Known, places: set[str], on: date) -> dict[int, Row]:
    """The spell of residence, on a day, of each subject that lives in the places and is still followed."""
    exits = known.exits.filter((pc.field("kind") == "wrong") | (pc.field("day") <= on))
    gone = pc.is_in(known.residences["subject"], exits["subject"].combine_chunks())
    homes = known.residences.filter(pc.invert(gone))
    homes = homes.filter((pc.field("since") <= on) & (pc.field("until").is_null() | (pc.field("until") >= on)))
    homes = homes.filter(_among("place", places))
    return {spell["subject"]: spell for spell in homes.to_pylist()}


def _choices(programme: Programme) -> list[list[str]]:
    """The standards of each *any of*, in the order written."""
    roots = [*programme.packages.values(), *(i.met for i in programme.indicators.values())]
    choices = (c.any_of for root in roots for c in walk(root, programme) if c.any_of)
    return [[name for c in choice if (name := c.up_to_date or c.received)] for choice in choices]


def _begun(choices: Sequence[Sequence[str]], rows: Sequence[Row]) -> list[Row]:
    """Of an *any of*, only the route begun and furthest on, else the first written; a finished one settles the others."""
    received: dict[tuple[int, str], int] = {}
    for row in rows:
        key = row["subject"], row["standard"]
        received[key] = received.get(key, 0) + (row["received"] is not None)
    dropped: set[tuple[int, str]] = set()
    for routes in choices:
        for subject in {subject for subject, name in received if name in routes}:
            known = [(subject, name) for name in routes if (subject, name) in received]
            dropped |= {*known} - {max(known, key=received.__getitem__)}  # the first of equals
    return [row for row in rows if (row["subject"], row["standard"]) not in dropped]


def _strictest(programme: Programme, rows: Iterable[Row]) -> list[Row]:
    """One line a subject and product: the delivery owed with the earliest `by`, naming every rule version that owes one."""
    result: dict[tuple[int, str], Row] = {}
    for row in sorted((r for r in rows if r["status"] in OWED), key=lambda r: (r["by"] or date.max, r["from"])):
        standard = programme.standards[row["standard"]]
        product = standard.product or row["service"]
        first = row | {"product": product, "since": row["from"], "rules": []}
        line = result.setdefault((row["subject"], product), first)
        if standard.rules not in line["rules"]:
            line["rules"].append(standard.rules)
    return list(result.values())


def _by_household(lines: list[Row]) -> list[Row]:
    """Villages, and households in them, in the order of their latest delivery; the worst first in each."""
    worst: dict[tuple[str, ...], int] = {}
    for line in lines:
        for group in (_home(line)[:1], _home(line)):
            worst[group] = max(worst.get(group, NOT_LATE), _late(line))

    def order(x: Row) -> tuple[Any, ...]:
        village, home = _home(x)[:1], _home(x)
        return -worst[village], village, -worst[home], home, -_late(x), x["subject"], x["product"]

    return sorted(lines, key=order)


def _home(line: Row) -> tuple[str, str]:
    """Its village ("" where nobody said), and its household or, without one, its own."""
    return line["settlement"] or "", line["household"] or line["subject"]


def _late(line: Row) -> int:
    return NOT_LATE if line["days"] is None else int(line["days"])


@dataclass(frozen=True)
class Judged:
    """One subject: head (subject: its pseudonym, on, known_on, attributes), every delivery on the day, and the verdicts
    of its month, by the indicator's key."""

    head: Row
    known: Known
    units: Units
    persons: list[int]
    deliveries: list[Row]
    verdicts: dict[str, Row]


def judged(ws: Workspace, people: gate.People, id: str, on: date, known_on: date) -> Judged:
    """The subject of this name: the same engine on one row."""
    programme, known = promised(ws), people.known(known_on)
    number, persons = _named(ws, known, id)
    one = known.subjects.slice(number, 1)
    row = one.to_pylist()[0]
    own = {name: value for name, value in row.items() if name not in HIDDEN and value is not None}
    head = {"subject": show(row["person"]), "on": on, "known_on": known_on, "attributes": own}
    units = Units.few(row["kind"], known.subjects, known.services, [number])
    rows = deliveries(programme, units, around(known), on).to_pylist()
    mine = [i for i in programme.indicators.values() if i.subject == row["kind"]]
    verdicts = {}
    for meant, found in evaluate(programme, one, known.services, around(known), on, indicators=mine, months=1):
        told: Row = {"indicator": meant.indicator, "rules": meant.rules}
        told |= {"place": None, "verdict": "outside", "components": {}}
        for here in (row for row in found.to_pylist() if row["cohort"]):
            told |= {"place": here["place"]} | verdict_of(here)
        verdicts[meant.key] = told
    people.shown(1)
    return Judged(head, known, units, persons, rows, verdicts)


def _named(ws: Workspace, known: Known, id: str) -> tuple[int, list[int]]:
    """(a subject, its pseudonyms) for a pseudonym or a document written `kind:value`; of episodes, the last.

    A document without its kind is looked for among the programme's kinds of document. WinayError when nobody has it.
    """
    kinds = promised(ws).head.documents
    candidates = [gate.person(ws, text) for text in ([id] if ":" in id else [f"{kind}:{id}" for kind in kinds])]
    with contextlib.suppress(WinayError):  # a pseudonym has 13 characters of its own alphabet
        candidates.append(gate.person(ws, id))
    rows = known.members.filter(pc.is_in(known.members["person"], pa.array(candidates, pa.int64())))
    if not len(rows):
        hint = "give the pseudonym of a list, or a document such as {kind}:…"
        raise wrong_use("nobody known is called {id}", hint=hint, id=id, kind=next(iter(kinds), "KIND"))
    subject = pc.max(rows["subject"])
    return subject.as_py(), known.members.filter(pc.field("subject") == subject)["person"].to_pylist()


def story(ws: Workspace, caller: gate.Caller, id: str, on: date, known_on: date) -> Row:
    """One subject: each standard's deliveries in order, each indicator's verdict that month.

    Keys: subject, on, known_on, attributes, residences [place, settlement, since, until], standards [standard, rules,
    deliveries [delivery, service, status, received, valid, from, due, by, until]], indicators [indicator, rules, place,
    verdict (met, missing, excluded, outside), components].
    """
    with gate.tables(ws, caller, "story", what=f"story {on}") as people:
        one = judged(ws, people, id, on, known_on)
    homes = one.known.residences.filter(pc.is_in(pc.field("subject"), one.units.table["subject"].combine_chunks()))
    standards: dict[str, Row] = {}
    for row in one.deliveries:
        if standard := promised(ws).standards.get(row["standard"]):
            empty: Row = {"standard": standard.standard, "rules": standard.rules, "deliveries": []}
            told = standards.setdefault(standard.standard, empty)
            told["deliveries"].append({name: row[name] for name in row if name not in ("subject", "standard")})
    return one.head | {
        "residences": homes.select(["place", "settlement", "since", "until"]).to_pylist(),
        "standards": list(standards.values()),
        "indicators": list(one.verdicts.values()),
    }
