"""Stories and proofs as people read them: short lines, the worst first, every claim with its because."""

from collections.abc import Iterable
from typing import Any

from winay.cli import show
from winay.cli.command import asked
from winay.core.text import say

Row = dict[str, Any]
MARKS = {"on_time": "✓", "late": "✓", "missed": "✗", "overdue": "!", "due": "•", "waiting": "…", "not_due": "·"}


def tell_story(story: Row) -> None:
    """Who, where, each standard as a timeline, each indicator's verdict."""
    if asked.json:
        return show.answer(story)
    show.write(say("{subject}, on {on}, known on {known_on}", **{k: story[k] for k in ("subject", "on", "known_on")}))
    show.write("  " + show.cell(story["attributes"]))
    for home in story["residences"]:
        until = home["until"] or say("today")
        show.write(
            "  "
            + say("lives in {place} from {since} to {until}", place=home["place"], since=home["since"], until=until)
        )
    for standard in story["standards"]:
        show.write(f"\n{standard['standard']}  ({standard['rules'] or ''})")
        for line in standard["deliveries"]:
            show.write(f"  {MARKS.get(line['status'], ' ')} {_delivery(line)}")
    show.write("")
    for verdict in story["indicators"]:
        missing = [name for name, status in verdict.get("components", {}).items() if status == "missing"]
        rest = f"  ({say('missing')}: {', '.join(missing)})" if verdict["verdict"] == "missing" else ""
        show.write(f"{verdict['indicator']}@{verdict['rules']}: {say(verdict['verdict'])}{rest}")
    return None


def _delivery(line: Row) -> str:
    """`2 late, received 2026-03-01 (2026-01-10 to 2026-02-28)`."""
    received = f", {say('received')} {line['received']}" if line["received"] else ""
    window = f"{line['from'] or ''} … {line['by'] or ''}" + (
        f" … {line['until']}" if line["until"] != line["by"] else ""
    )
    return f"{line['delivery']} {say(line['status'])}{received}  [{window}]"


def tell_proof(proof: Row, only: str | None = None) -> None:
    """A figure's or a subject's proof; `only`: the components with that status."""
    if asked.json:
        return show.answer(proof)
    return _figure(proof) if "figure" in proof else _subject(proof, only)


def _figure(proof: Row) -> None:
    figure, rule = proof["figure"], proof["rule"]
    value = "—" if figure["value"] is None else f"{100 * figure['value']:.1f} %"
    show.write(f"{rule['name']}\n{figure['name']} ({figure['place']}), {figure['period']}: "
               f"{figure['numerator']} / {figure['denominator']} = {value}")  # fmt: skip
    show.write(say("{met} met, {missing} missing, {excluded} excluded", **proof["counts"]))
    for name, count in sorted(proof["missing"].items(), key=lambda item: -item[1]):
        show.write(f"  {say('missing')} {name}: {count}")
    show.facts({k: figure[k] for k in ("as_of", "known_on", "snapshot", "state", "history", "reporting", "facilities")})
    _basis(rule)
    show.write(say("the list behind it: {command}", command=proof["list"]))


def _basis(rule: Row) -> None:
    show.write(f"{say('rule')}: {rule['legal']}  ({rule['at']})")


def _subject(proof: Row, only: str | None) -> None:
    show.write(say("{subject}, on {on}, known on {known_on}", **{k: proof[k] for k in ("subject", "on", "known_on")}))
    _records(proof["registry"])
    for told in proof["indicators"]:
        show.write(f"\n{told['indicator']}: {say(told['verdict'])}. {told['name']}")
        _basis(told)
        for claim in told["because"]:
            out = claim["holds"] if claim["takes_out"] else not claim["holds"]
            found = "" if claim["found"] is None else f" ({say('found')}: {show.cell(claim['found'])})"
            only = say("out if: ") if claim["takes_out"] else ""
            show.write(f"  {'✗' if out else '✓'} {only}{claim['claim']}{found}")
        for component in (c for c in told["components"] if only in (None, c["status"])):
            show.write(f"  {component['name']}: {say(component['status'])}".rstrip(": "))
            for line in component["deliveries"]:
                _proved(line)


def _proved(line: Row) -> None:
    """One delivery: what proves it, or each record that does not count and why."""
    show.write(f"    {MARKS.get(line['status'], ' ')} {line['standard']} {_delivery(line)}  {line['legal']}")
    _records(line["records"], "      ")
    for record in line["not_counted"]:
        _records([record], "      ", say("not counted because {why}", why=record["because"]))
    if any(not record["proves"] for record in line["not_counted"]):
        show.write("      " + say("{service} wants: {rule}", service=line["service"], rule=line["proof"]))


def _records(records: Iterable[Row], indent: str = "  ", rest: str = "") -> None:
    for record in records:
        facts = ", ".join(show.cell(record[k]) for k in ("day", "code", "type", "lab") if record.get(k))
        show.write(f"{indent}{record['file']}:{record['line']}  {facts}  {rest}".rstrip())
        if record.get("raw"):
            show.write(f"{indent}  {record['raw']}")
