"""Who is owed what on a day, and one subject's story: the same deliveries, seen by place and by person."""

import contextlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.evaluate import around
from winay.actions.opening import promised
from winay.core.problems import WinayError, unknown_name, wrong_use
from winay.programme.criteria import Criterion
from winay.programme.load import Programme
from winay.workspace import Workspace

if TYPE_CHECKING:
    from winay.records.as_of import Known

OWED = ("overdue", "due")


def due(
    ws: Workspace, caller: gate.Caller, place: str, on: date, known_on: date, *, rules: str | None = None,
    identities: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """One line a subject and product (or service), worst first within each household: households and villages together.

    Columns: settlement, household, subject (names with `identities`), kind, birth, district, product, delivery, status,
    by, since (from when), until, days (late, negative: left), rules (every version that owes it).
    """
    from winay.engine.stories import deliveries, few
    from winay.engine.tree import Tree
    from winay.workspace.vault import show

    programme = promised(ws)
    versions = _versions(programme, rules, on)
    with gate.tables(
        ws, caller, "follow up", what=f"due {place} {on}", places=(place,), identities=identities
    ) as people:
        known = people.known(known_on)
        tree = Tree.of(known.places.to_pylist())
        if place not in tree.places:
            raise WinayError(unknown_name(None, "place", place, tree.places), status=2)
        homes = _living_in(known, tree.below(place, on), on)
        rows: list[dict[str, Any]] = []
        for kind in programme.head.subjects:
            units = few(known.subjects, known.services, list(homes), kind)
            rows += deliveries(ws.connect(), programme, units, around(known), on).to_pylist()
        wanted = {n for n, s in programme.standards.items() if s.rules in versions}
        owed = _strictest(programme, _begun(programme, [r for r in rows if r["standard"] in wanted]))
        persons = {row["subject"]: row for row in known.subjects.to_pylist() if row["subject"] in homes}
        told = []
        for line in owed:
            person, home = persons[line["subject"]], homes[line["subject"]]
            names = people.identity(person["person"]) if identities else {}
            told.append(
                {
                    "settlement": home["settlement"],
                    "household": show(person["household"]) if person.get("household") else None,
                    "subject": show(person["person"]),
                    **({"name": " ".join(filter(None, (names.get(k) for k in NAME)))} if identities else {}),
                    "kind": person["kind"],
                    "birth": person["birth"],
                    "district": tree.on(home["place"], on),
                    **{k: line[k] for k in ("product", "delivery", "status", "since", "by", "until", "rules")},
                    "days": (on - line["by"]).days if line["by"] else None,
                }
            )
        people.shown(len({line["subject"] for line in told}))
    return _by_household(told)


NAME = ("names", "surname", "second_surname")


def _versions(programme: Programme, rules: str | None, on: date) -> set[str]:
    if rules is None:
        spans = {name: version.in_force for name, version in programme.head.rules.items()}
        return {name for name, s in spans.items() if s.since <= on and (s.until is None or on <= s.until)}
    if rules not in programme.head.rules:
        raise WinayError(unknown_name(None, "rule version", rules, programme.head.rules), status=2)
    return {rules}


def _living_in(known: "Known", places: set[str], on: date) -> dict[int, dict[str, Any]]:
    """The spell of residence, on a day, of each subject that lives in the places and is still followed."""
    gone = {e["subject"] for e in known.exits.to_pylist() if e["kind"] == "wrong" or e["day"] <= on}
    result: dict[int, dict[str, Any]] = {}
    for spell in known.residences.to_pylist():
        started = (spell["subject"] not in result and spell["since"] is None) or spell["since"] <= on
        if started and (spell["until"] is None or on <= spell["until"]):
            result[spell["subject"]] = spell
    return {s: spell for s, spell in result.items() if spell["place"] in places and s not in gone}


def routes(programme: Programme) -> list[list[str]]:
    """The alternatives of every *any of*: standards of which only one needs to be followed, in the order written."""
    found: list[list[str]] = []

    def walk(criterion: Criterion) -> None:
        if criterion.any_of:
            found.append([p for c in criterion.any_of if (p := c.up_to_date or c.received)])
        for child in criterion.children:
            walk(child)

    for root in [*programme.packages.values(), *(i.met for i in programme.indicators.values())]:
        walk(root)
    return [route for route in found if len(route) > 1]


def _begun(programme: Programme, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of alternatives, only the one begun and furthest on, else the first written; a finished one settles the others."""
    received: dict[tuple[int, str], int] = {}
    for row in rows:
        key = row["subject"], row["standard"]
        received[key] = received.get(key, 0) + (row["received"] is not None)
    dropped: set[tuple[int, str]] = set()
    for names in routes(programme):
        for subject in {subject for subject, name in received if name in names}:
            known = [name for name in names if (subject, name) in received]
            best = max(known, key=lambda name: received[subject, name])  # the first of equals
            dropped |= {(subject, name) for name in known if name != best}
    return [row for row in rows if (row["subject"], row["standard"]) not in dropped]


def _strictest(programme: Programme, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line a subject and product: the delivery owed with the earliest `by`, naming every rule version that owes one."""
    result: dict[tuple[int, str], dict[str, Any]] = {}
    for row in sorted((r for r in rows if r["status"] in OWED), key=lambda r: (r["by"] or date.max, r["from"])):
        standard = programme.standards[row["standard"]]
        product = standard.product or row["service"]
        line = result.setdefault(
            (row["subject"], product), row | {"product": product, "since": row["from"], "rules": []}
        )
        if standard.rules and standard.rules not in line["rules"]:
            line["rules"].append(standard.rules)
    return list(result.values())


def _by_household(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Villages, then households, in the order of their latest delivery; the worst first in each."""

    def lateness(line: dict[str, Any]) -> int:
        return line["days"] if line["days"] is not None else -99_999

    def home(line: dict[str, Any]) -> str:
        return str(line["household"] or line["subject"])

    worst: dict[str, int] = {}
    for line in lines:
        worst[home(line)] = max(worst.get(home(line), -99_999), lateness(line))
    return sorted(
        lines, key=lambda x: (x["settlement"] or "", -worst[home(x)], home(x), -lateness(x), x["subject"], x["product"])
    )


def subject_named(ws: Workspace, people: gate.People, known: "Known", id: str) -> tuple[int, list[int]]:
    """(a subject, its pseudonyms) for a pseudonym or a document written `kind:value`; of episodes, the last.

    A document without its kind is looked for among the programme's kinds of document. WinayError when nobody has it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from winay.workspace.vault import parse

    kind, _, value = id.rpartition(":")
    tried = [kind] if kind else promised(ws).head.documents
    candidates = [int(ws.vault.pseudonyms(k, [value])[0]) for k in tried]
    if not kind:
        with contextlib.suppress(ValueError, WinayError):
            candidates.insert(0, parse(id))
    rows = known.members.filter(pc.is_in(known.members["person"], pa.array(candidates, pa.int64())))
    if not len(rows):
        hint = "give the pseudonym of a list, or a document such as {kind}:…"
        raise wrong_use("nobody known is called {id}", hint=hint, id=id, kind=tried[0] if tried else "KIND")
    subject = max(rows["subject"].to_pylist())
    members = known.members.filter(pc.equal(known.members["subject"], subject))
    return subject, members["person"].to_pylist()


def story(ws: Workspace, caller: gate.Caller, id: str, on: date, known_on: date) -> dict[str, Any]:
    """One subject: who (pseudonym, attributes), each standard's deliveries in order, each indicator's verdict that month."""
    from winay.workspace.vault import show

    programme = promised(ws)
    with gate.tables(ws, caller, "story", what=f"story {on}") as people:
        known = people.known(known_on)
        subject, _ = subject_named(ws, people, known, id)
        row = known.subjects.slice(subject, 1).to_pylist()[0]
        rows, verdicts = judged(ws, known, subject, row["kind"], on)
        people.shown(1)
    homes = [spell for spell in known.residences.to_pylist() if spell["subject"] == subject]
    own = {k: v for k, v in row.items() if k not in ("subject", "person", "household") and v is not None}
    standards: dict[str, list[dict[str, Any]]] = {}
    for line in rows:
        if line["standard"] in programme.standards:
            standards.setdefault(line["standard"], []).append(
                {k: v for k, v in line.items() if k not in ("subject", "standard")}
            )
    return {
        "subject": show(row["person"]),
        "on": on,
        "known_on": known_on,
        "attributes": own,
        "residences": [{k: s[k] for k in ("place", "settlement", "since", "until")} for s in homes],
        "standards": [
            {"standard": name, "rules": programme.standards[name].rules, "deliveries": lines}
            for name, lines in standards.items()
        ],
        "indicators": verdicts,
    }


def judged(
    ws: Workspace, known: "Known", subject: int, kind: str, on: date
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(every delivery, every verdict of the month of `on`) of one subject: the same engine on one row."""
    import pyarrow.compute as pc

    from winay.engine.evaluate import evaluate
    from winay.engine.stories import deliveries, few

    programme, con = promised(ws), ws.connect()
    units = few(known.subjects, known.services, [subject], kind)
    rows = deliveries(con, programme, units, around(known), on).to_pylist()
    one = known.subjects.filter(pc.equal(known.subjects["subject"], subject))
    mine = [i for i in programme.indicators.values() if i.subject == kind]
    verdicts = []
    for indicator, found in evaluate(con, programme, one, known.services, around(known), on, indicators=mine, months=1):
        here = [row for row in found.to_pyarrow().to_pylist() if row["cohort"]]
        verdicts.append(
            {
                "indicator": indicator.indicator,
                "rules": indicator.rules,
                **(_verdict(here[0]) if here else {"verdict": "outside"}),
            }
        )
    return rows, verdicts


def _verdict(row: dict[str, Any]) -> dict[str, Any]:
    verdict = "met" if row["met"] else "missing" if row["denominator"] else "excluded"
    parts = {c.removeprefix("c__"): "met" if row[c] else "missing" for c in row if c.startswith("c__")}
    return {"verdict": verdict, "place": row["place"], "components": parts}
