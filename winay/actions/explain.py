"""The proof: a verdict or a figure walked back to the record, its file and line, the rule and the article."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winay.actions import gate
from winay.actions.evaluate import around
from winay.actions.figures import figures, indicator_named, subjects
from winay.actions.opening import promised
from winay.actions.stories import judged, subject_named
from winay.core.problems import wrong_use
from winay.core.text import say
from winay.engine.conditions import components
from winay.programme import words
from winay.programme.criteria import Criterion
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.programme.services import Matcher
from winay.workspace import Workspace

if TYPE_CHECKING:
    from winay.records.as_of import Known
    from winay.records.witness import Line

Row = dict[str, Any]
RECEIVED = ("on_time", "late")


def explain(
    ws: Workspace, caller: gate.Caller, id: str, indicator: str | None, on: date, known_on: date, *, raw: bool = False
) -> Row:
    """Of a subject (pseudonym or document) or of a figure's address `INDICATOR@RULES/PLACE/PERIOD`.

    A subject's proof: who, from which registry lines; for each indicator the verdict, each condition on who is counted and
    whether it holds, each component's deliveries with the record that proves them, or why nothing counts.
    """
    if id.count("/") == 2:
        return _of_figure(ws, caller, id)
    return _of_subject(ws, caller, id, indicator, on, known_on, raw)


def _of_figure(ws: Workspace, caller: gate.Caller, address: str) -> Row:
    key, place, period = address.split("/")
    rows = figures(ws, caller, key, period=period, place=place).to_pylist()
    if not rows:
        raise wrong_use(
            "nobody is in the cohort of {address}",
            hint="see: winay figures {key} --by LEVEL",
            address=address,
            key=key,
        )
    programme = promised(ws)
    meant = indicator_named(programme, key, None, rows[0]["as_of"])
    people = subjects(ws, caller, meant.key, period, place=place)
    missing = [
        name
        for person in people
        if person["verdict"] == "missing"
        for name, s in person["components"].items()
        if s == "missing"
    ]
    return {
        "figure": rows[0],
        "rule": _rule(programme, meant),
        "counts": {verdict: sum(p["verdict"] == verdict for p in people) for verdict in ("met", "missing", "excluded")},
        "missing": {name: missing.count(name) for name in components(meant.met, programme)},
        "list": f"winay subjects {meant.key} --period {period} --place {place}",
    }


def _rule(programme: Programme, meant: Indicator) -> Row:
    return {
        "indicator": meant.key,
        "name": str(meant.name),
        "legal": words.basis(meant.legal, meant.reading),
        "at": f"{Path(meant.at.file).name}:{meant.at.line}" if meant.at else "",
    }


def _of_subject(
    ws: Workspace, caller: gate.Caller, id: str, indicator: str | None, on: date, known_on: date, raw: bool
) -> Row:
    from winay.workspace.vault import show

    programme = promised(ws)
    with gate.tables(ws, caller, "explain", what=f"{indicator or 'all'} {on}", identities=raw) as people:
        known = people.known(known_on)
        subject, persons = subject_named(ws, people, known, id)
        row = known.subjects.slice(subject, 1).to_pylist()[0]
        rows, verdicts = judged(ws, known, subject, row["kind"], on)
        lines = people.lines(persons, known_on)
        chosen = _chosen(programme, verdicts, indicator, on)
        proof = _Proof(programme, rows, lines, on, people if raw else None)
        told = [
            verdict
            | _rule(programme, meant)
            | {
                "because": _conditions(ws, programme, known, subject, row["kind"], meant, on),
                "components": [
                    proof.component(name, c, verdict.get("components", {}).get(name, ""))
                    for name, c in components(meant.met, programme).items()
                ],
            }
            for meant, verdict in chosen
        ]
        registry = people.registry(persons, known_on)
        people.shown(1)
    who = {k: v for k, v in row.items() if k not in ("subject", "person", "household") and v is not None}
    return {
        "subject": show(row["person"]),
        "on": on,
        "known_on": known_on,
        "who": who,
        "registry": registry,
        "indicators": told,
    }


def _chosen(programme: Programme, verdicts: Sequence[Row], name: str | None, on: date) -> list[tuple[Indicator, Row]]:
    """The indicators asked for; without one, those whose cohort the subject is in."""
    if name:
        wanted = {indicator_named(programme, name, None, on).key}
    else:
        wanted = {f"{v['indicator']}@{v['rules']}" for v in verdicts if v["verdict"] != "outside"}
    return [(programme.indicators[key], v) for v in verdicts if (key := f"{v['indicator']}@{v['rules']}") in wanted]


def _conditions(
    ws: Workspace, programme: Programme, known: "Known", subject: int, kind: str, meant: Indicator, on: date
) -> list[Row]:
    """Each condition on who is counted, whether it holds, and what that means."""
    from winay.engine.stories import few, holding

    parts = [(c, False) for c in _leaves(meant.who)] + [(c, True) for c in _leaves(meant.exclude)]
    if not parts:
        return []
    units = few(known.subjects, known.services, [subject], kind)
    named = {str(i): c for i, (c, _) in enumerate(parts)}
    held = holding(ws.connect(), programme, units, around(known), on, named)
    own = units.table.to_pylist()[0]
    return [
        {
            "claim": " ".join(words.criterion(c, programme, excludes=excludes)).strip(" -"),
            "found": own.get(c.attribute or "", None),
            "holds": bool(held[str(i)][0]),
            "takes_out": excludes,
        }
        for i, (c, excludes) in enumerate(parts)
    ]


def _leaves(criterion: Criterion | None) -> list[Criterion]:
    """The parts of an *all of* (for who is in) or *any of* (for who is out): each decides alone."""
    return [] if criterion is None else criterion.children or [criterion]


class _Proof:
    """The records of one subject, laid beside what it is owed."""

    def __init__(
        self, programme: Programme, rows: Sequence[Row], lines: "Sequence[Line]", on: date, raw: gate.People | None
    ) -> None:
        self.programme, self.lines, self.on, self.raw = programme, [x for x in lines if x.fields["day"] <= on], on, raw
        self.rows: dict[str, list[Row]] = {}
        for row in rows:
            self.rows.setdefault(row["standard"], []).append(row)

    def component(self, name: str, criterion: Criterion, status: str) -> Row:
        return {
            "name": name,
            "status": status,
            "deliveries": [d for standard in self._standards(criterion) for d in self._deliveries(standard)],
        }

    def _standards(self, criterion: Criterion) -> Iterator[str]:
        path = criterion.up_to_date or criterion.received or criterion.on_time
        if path:
            yield path.partition("/")[0]
        elif criterion.event:
            yield f"event:{criterion.event}"
        parts = [self.programme.packages[criterion.package]] if criterion.package else criterion.children
        for part in parts:
            yield from self._standards(part)

    def _deliveries(self, standard: str) -> Iterator[Row]:
        rule = self.programme.standards.get(standard)
        rows = self.rows.get(standard, [])
        behind = False
        for row in rows:
            got = row["status"] in RECEIVED
            looked = not got and not behind and row["status"] != "not_due"
            behind = behind or not got
            proved = [x for x in self.lines if row["service"] in x.proves]
            told = {
                k: row[k] for k in ("delivery", "service", "status", "received", "valid", "from", "due", "by", "until")
            }
            told |= {
                "standard": standard,
                "legal": words.basis(rule.legal, None) if rule else "",
                "at": str(rule.at) if rule else "",
            }
            told["records"] = [self._line(x) for x in proved if got and x.fields["day"] == row["received"]]
            told["not_counted"] = list(self._absent(row, rows, proved)) if looked else []
            yield told

    def _line(self, line: "Line") -> Row:
        told = {"file": line.file, "line": line.line, "load": line.load, "source": line.source, **line.fields}
        if self.raw:
            told["raw"] = self.raw.raw(line.load, line.line).decode("utf-8", "replace").rstrip("\r\n")
        return told

    def _absent(self, row: Row, rows: Sequence[Row], proved: "Sequence[Line]") -> Iterator[Row]:
        """Every record that could be meant, and why it does not count."""
        taken = {r["received"]: r["delivery"] for r in rows if r["received"]}
        for line in proved:
            yield self._line(line) | {"because": self._why(line.fields["day"], row, taken), "proves": True}
        codes = _codes(self.programme, self.programme.services[row["service"]])
        for line in self.lines:
            if row["service"] not in line.proves and line.fields.get("code") in codes:
                because = say("its type, LAB or contact do not fit {service}", service=row["service"])
                yield self._line(line) | {"because": because, "proves": False}

    def _why(self, day: date, row: Row, taken: dict[date, int]) -> str:
        if day in taken:
            return say("it counts as delivery {number}", number=taken[day])
        if row["valid"] and day < row["valid"]:
            return say("too early: the first day that counts is {day}", day=row["valid"])
        if row["until"] and day > row["until"]:
            return say("too late: the last day that counts is {day}", day=row["until"])
        if row["status"] in ("waiting", "missed"):
            return say("the delivery before it was not received")
        return say("its distance from the record before it is not allowed")


def _codes(programme: Programme, matcher: Matcher) -> set[str]:
    """The codes a service is recognised by, wherever they are written."""
    own = set(matcher.code or [])
    inner = [*(matcher.all_ or []), *(matcher.any_ or []), *([programme.services[matcher.is_]] if matcher.is_ else [])]
    return own.union(*(_codes(programme, part) for part in inner))
