"""Stories and proofs as people read them: short lines, the worst first, every claim with its because."""

from collections.abc import Iterable
from typing import Any

from winay.cli.show import cell, facts, write
from winay.core.text import say
from winay.publish.context import events

Row = dict[str, Any]
MARKS = {"on_time": "✓", "late": "✓", "missed": "✗", "overdue": "!", "due": "•", "waiting": "…", "not_due": "·"}
RESTS_ON = ("as_of", "known_on", "snapshot", "state", "history", "reporting", "facilities")


def tell_story(story: Row) -> None:
    """Who, where, each standard as a timeline, each indicator's verdict."""
    _head(story)
    for home in story["residences"]:
        spell = home | {"until": home["until"] or say("today")}
        write("  " + say("lives in {place} from {since} to {until}", **spell))
    for standard in story["standards"]:
        write(f"\n{standard['standard']}  ({standard['rules'] or ''})")
        for line in standard["deliveries"]:
            write(f"  {_delivery(line)}")
    write("")
    for told in story["indicators"]:
        lacks = [name for name, status in told["components"].items() if status == "missing"]
        rest = f"  ({say('missing')}: {', '.join(lacks)})" if told["verdict"] == "missing" else ""
        write(f"{told['indicator']}@{told['rules']}: {say(told['verdict'])}{rest}")


def tell_proof(proof: Row, only: str | None = None) -> None:
    """A figure's or a subject's proof; `only`: the components with that status."""
    if "figure" in proof:
        return _figure(proof)
    _head(proof)
    _records(proof["registry"])
    for told in proof["indicators"]:
        write(f"\n{told['indicator']}@{told['rules']}: {say(told['verdict'])}. {told['name']}")
        _basis(told)
        for claim in told["because"]:
            found = "" if claim["found"] is None else f" ({say('found')}: {cell(claim['found'])})"
            out = say("out if: ") if claim["takes_out"] else ""
            write(f"  {'✗' if claim['holds'] == claim['takes_out'] else '✓'} {out}{claim['claim']}{found}")
        for component in (c for c in told["components"] if only in (None, c["status"])):
            write(f"  {component['name']}: {say(component['status'])}")
            for line in component["deliveries"]:
                _proved(line)
    return None


def values(published: list[Row]) -> list[str]:
    """What others published beside a figure: `31.3 % (2025, issuer)`, of a target `target 36.5 % …`."""
    return [
        f"{say('target') + ' ' if row['target'] else ''}{cell(row['value'])} {row['unit']} ({row['period']}, {row['issuer']})"
        for row in published
    ]


def _figure(proof: Row) -> None:
    figure, rule = proof["figure"], proof["rule"]
    value = "—" if figure["value"] is None else f"{100 * figure['value']:.1f} %"
    write(f"{rule['name']}\n{figure['name']} ({figure['place']}), {figure['period']}:")
    write(f"{figure['numerator']} / {figure['denominator']} = {value}")
    write(say("{met} met, {missing} missing, {excluded} excluded", **proof["counts"]))
    for name, count in sorted(proof["missing"].items(), key=lambda item: -item[1]):
        write(f"  {say('missing')} {name}: {count}")
    for name, lines in {"published": values(figure["published"]), "context": events(figure["context"])}.items():
        write("\n".join(f"  {say(name)}: {line}" for line in lines)) if lines else None
    facts({name: figure[name] for name in RESTS_ON})
    _basis(rule)
    write(say("the list behind it: {command}", command=proof["list"]))


def _head(told: Row) -> None:
    write(say("{subject}, on {on}, known on {known_on}", **told))
    write("  " + cell(told["attributes"]))


def _basis(rule: Row) -> None:
    legal, *readings = rule["legal"].split("\n\n")
    write(f"{say('rule')}: {legal}  ({rule['at']})")
    for reading in readings:
        write(f"  {reading}")


def _delivery(line: Row, of: str = "") -> str:
    """`✓ 2 late, received 2026-03-01  [2026-01-10 … 2026-02-28]`."""
    received = f", {say('received')} {line['received']}" if line["received"] else ""
    days = [line["from"], line["by"], *([line["until"]] if line["until"] != line["by"] else [])]
    window = " … ".join(cell(day) for day in days)
    return f"{MARKS.get(line['status'], ' ')} {of}{line['delivery']} {say(line['status'])}{received}  [{window}]"


def _proved(line: Row) -> None:
    """One delivery: what proves it, or each record that does not count and why."""
    write(f"    {_delivery(line, line['standard'] + ' ')}  {line['legal']}")
    _records([*line["records"], *line["not_counted"]], "      ")
    if any(not record["proves"] for record in line["not_counted"]):
        write("      " + say("{service} wants: {rule}", service=line["service"], rule=line["proof"]))


def _records(records: Iterable[Row], indent: str = "  ") -> None:
    for record in records:
        said = ", ".join(cell(record[k]) for k in ("day", "code", "type", "lab") if record.get(k))
        rest = say("not counted because {why}", why=record["because"]) if "because" in record else ""
        write(f"{indent}{record['file']}:{record['line']}  {said}  {rest}".rstrip())
        if record.get("raw"):
            write(f"{indent}  {record['raw']}")
