"""What a programme says that nobody published: proposals, links without evidence, data nobody gave, missing words."""

from collections.abc import Iterator, Sequence

from winay.programme.chain import Link, Product, Result, Sheet
from winay.programme.legal import InForce, Legal
from winay.programme.load import Programme
from winay.programme.yaml_text import Written, inside


def unsettled(programme: Programme) -> Iterator[dict[str, str]]:
    """One row a cause: part, key, `open` (the cause, in a word or two), what (its details), at (file and line)."""
    head = programme.head
    parts = {**programme.parts, "attributes": head.attributes, "rules": head.rules, "entities": head.entities}
    for part, items in parts.items():
        for key, item in items.items():
            causes = dict.fromkeys(cause for written in inside(item) for cause in _causes(written, head.languages))
            for cause, what in causes:
                yield {"part": part, "key": key, "open": cause, "what": what, "at": str(item.at)}


def _causes(written: Written, languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    if isinstance(written, Legal | InForce | Sheet) and written.confidence == "proposed":
        yield "proposed", str(written.note or "")
    if isinstance(written, Link) and written.legal is None:
        yield "no evidence", written.to
    if isinstance(written, Product) and written.inferred:
        yield "inferred", ", ".join(written.inferred)
    if isinstance(written, Product) and not (written.source or written.state == "official"):
        yield "no source", ""
    if isinstance(written, Result) and written.open:
        yield "not measured", str(written.open)
    if isinstance(written, Sheet) and written.state == "awaiting":
        yield "awaiting", f"{written.why} {written.needs}"
    for field in ("name", "plural", "unit", "owed_to", "publishes"):
        told = getattr(written, field, None)
        if isinstance(told, dict) and (missing := [code for code in languages if code not in told]):
            yield "no words", f"{field}: {', '.join(missing)}"
