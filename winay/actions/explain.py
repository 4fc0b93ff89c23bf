"""The proof: a verdict or a figure walked back to the record, its file and line, the rule and the article."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from winay.actions import gate
from winay.actions.beside import with_beside
from winay.actions.evaluate import around
from winay.actions.figures import VERDICTS, figures, indicator_named, subjects
from winay.actions.opening import promised
from winay.actions.stories import Judged, judged
from winay.core.problems import wrong_use
from winay.core.text import say
from winay.engine.conditions import components, fold_of, walk
from winay.engine.stories import holding
from winay.programme import words
from winay.programme.criteria import Criterion
from winay.programme.indicators import Indicator
from winay.programme.load import Programme
from winay.programme.services import Matcher
from winay.records.witness import Line
from winay.workspace import Workspace

Row = dict[str, Any]
DELIVERY = ("standard", "delivery", "service", "status", "received", "valid", "from", "due", "by", "until")


def explain(
    ws: Workspace, caller: gate.Caller, id: str, indicator: str | None, on: date, known_on: date, *, raw: bool = False
) -> Row:
    """Of a subject (pseudonym or document) or of a figure's address `INDICATOR@RULES/PLACE/PERIOD`.

    A figure's keys: figure (as of `figures`), rule [indicator, rules, name, legal, at], counts, missing (component:
    how many), list. A subject's: subject, on, known_on, attributes, registry [file, line, load, source], indicators
    [indicator, rules, place, verdict, name, legal, at, because [claim, found, holds, takes_out], components [name,
    status, deliveries [as of `story`, and standard, legal, at, proof, records, not_counted]]]. A record has file, line,
    load, source, its fields, and `raw` where asked; one not counted also `because` and `proves`.
    """
    if id.count("/") == 2:
        return _of_figure(ws, caller, *id.split("/"))
    programme = promised(ws)
    with gate.tables(ws, caller, "explain", what=f"{indicator or 'all'} {on}", identities=raw) as people:
        one = judged(ws, people, id, on, known_on)
        registry, lines = people.registry(one.persons, known_on), people.lines(one.persons, known_on)
        if indicator:
            wanted = [indicator_named(programme, indicator, None, on).key]
        else:
            wanted = [key for key, told in one.verdicts.items() if told["verdict"] != "outside"]
        proof = _Proof(programme, one.deliveries, [x for x in lines if x.fields["day"] <= on], people if raw else None)
        told = []
        for meant in (programme.indicators[key] for key in wanted if key in one.verdicts):
            verdict = one.verdicts[meant.key]
            parts = [proof.part(*part, verdict["components"]) for part in components(meant.met, programme).items()]
            because = _because(ws, one, meant, on)
            told.append(verdict | _rule(meant) | {"because": because, "components": parts})
    return one.head | {"registry": registry, "indicators": told}


def _of_figure(ws: Workspace, caller: gate.Caller, key: str, place: str, period: str) -> Row:
    rows = with_beside(ws, figures(ws, caller, key, period=period, place=place).to_pylist())
    if not rows:
        found, hint = "nobody is in the cohort of {address}", "see: winay figures {key} --by LEVEL"
        raise wrong_use(found, hint=hint, address=f"{key}/{place}/{period}", key=key)
    meant = indicator_named(promised(ws), key, None, rows[0]["as_of"])
    people = subjects(ws, caller, meant.key, period, place=place)
    lacking = [person["components"] for person in people if person["verdict"] == "missing"]
    return {
        "figure": rows[0],
        "rule": _rule(meant),
        "counts": {verdict: sum(p["verdict"] == verdict for p in people) for verdict in VERDICTS},
        "missing": {name: sum(p[name] == "missing" for p in lacking) for name in components(meant.met, promised(ws))},
        "list": f"winay subjects {meant.key} --period {period} --place {place}",
    }


def _rule(meant: Indicator) -> Row:
    at = f"{Path(meant.at.file).name}:{meant.at.line}" if meant.at else ""
    named = {"indicator": meant.indicator, "rules": meant.rules, "name": str(meant.name)}
    return named | {"legal": words.basis(meant.legal, meant.reading), "at": at}


def _because(ws: Workspace, one: Judged, meant: Indicator, on: date) -> list[Row]:
    """Each condition on who is counted, whether it holds, and whether it takes people out."""
    programme = promised(ws)
    # of an *all of* (who is in) and of an *any of* (who is taken out) each part decides alone
    parts = [
        (c, out) for root, out in ((meant.who, False), (meant.exclude, True)) if root for c in root.children or [root]
    ]
    named = {str(n): c for n, (c, _) in enumerate(parts)}
    held = holding(programme, one.units, around(one.known), on, named) if parts else {}
    return [
        {
            "claim": " ".join(words.criterion(c, programme, excludes=out)).strip(" -"),
            "found": one.head["attributes"].get(c.attribute),
            "holds": bool(held[str(n)][0]),
            "takes_out": out,
        }
        for n, (c, out) in enumerate(parts)
    ]


@dataclass(frozen=True)
class _Proof:
    """The records of one subject (`lines`), laid beside what it is owed (`rows`). people: who may see them as delivered."""

    programme: Programme
    rows: Sequence[Row]
    lines: Sequence[Line]
    people: gate.People | None

    def part(self, name: str, criterion: Criterion, statuses: dict[str, str]) -> Row:
        folds = filter(None, map(fold_of, walk(criterion, self.programme)))
        standards = dict.fromkeys(fold.standard for fold in folds)
        deliveries = [told for standard in standards for told in self._deliveries(standard)]
        return {"name": name, "status": statuses.get(name, ""), "deliveries": deliveries}

    def _deliveries(self, name: str) -> Iterator[Row]:
        rule, behind = self.programme.standards.get(name), False
        rows = [row for row in self.rows if row["standard"] == name]
        for row in rows:
            service = self.programme.services[row["service"]]
            proved = [line for line in self.lines if row["service"] in line.proves]
            wanted = not (row["received"] or behind or row["status"] == "not_due")
            behind = behind or not row["received"]
            yield {name: row[name] for name in DELIVERY} | {
                "legal": words.basis(rule.legal, None) if rule else "",
                "at": str(rule.at) if rule else "",
                "proof": words.matcher(service, self.programme),
                "records": [self._line(x) for x in proved if x.fields["day"] == row["received"]],
                "not_counted": list(self._absent(row, rows, proved, service)) if wanted else [],
            }

    def _line(self, line: Line, **more: object) -> Row:
        told = {"file": line.file, "line": line.line, "load": line.load, "source": line.source, **line.fields, **more}
        if self.people:
            told["raw"] = self.people.raw(line.load, line.line).decode("utf-8", "replace").rstrip("\r\n")
        return told

    def _absent(self, row: Row, rows: Sequence[Row], proved: Sequence[Line], service: Matcher) -> Iterator[Row]:
        """Every record that could be meant, and why it does not count."""
        taken = {r["received"]: r["delivery"] for r in rows if r["received"]}
        for line in proved:
            yield self._line(line, because=_why(line.fields["day"], row, taken), proves=True)
        codes = _codes(self.programme, service)
        because = say("its type, LAB or contact do not fit {service}", service=row["service"])
        for line in self.lines:
            if line not in proved and line.fields.get("code") in codes:
                yield self._line(line, because=because, proves=False)


def _why(day: date, row: Row, taken: dict[date, int]) -> str:
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
    inner = [*(matcher.all_ or []), *(matcher.any_ or []), *([programme.services[matcher.is_]] if matcher.is_ else [])]
    return {*(matcher.code or [])}.union(*(_codes(programme, part) for part in inner))
