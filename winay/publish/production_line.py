"""The production line on one A3 sheet: results above, products below, the weakest link in black; each box has its mm."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import chain
from textwrap import shorten, wrap
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from winay.core.text import say
from winay.publish.context import events

Row = dict[str, Any]
SIZE = {"width": 404, "height": 280, "head": 33, "foot": 11}
"""mm inside the margins of 8 of a landscape A3; of the height, the head and the foot."""
ABOVE = {"final": 0.0, "specific": 5.0, "intermediate": 10.0, "block": 12.0}
"""Tier from the top -> the room above it, where links run. Immediate results head the blocks of their products."""
GUTTER, PADDING, BETWEEN = 3.0, 3.0, 7.0
"""mm between boxes, inside one, and between rows of blocks."""
COLUMNS, WIDEST = range(6, 16), 4
"""How many columns of products the page may have, and how many one block."""
LINE, CHARACTER = 2.85, 1.21
"""mm that a line, and a character on the average, of 7 points take."""
AT_MOST = (*((most, True) for most in (200, 60, 48, 40, 32)), *((most, False) for most in (60, 40, 32, 24, 18)))
"""Characters of a product's name, and whether it stands under each of its results: the first with which all fits."""
STRENGTHS = ("strong", "moderate", "weak", "proposed")


@dataclass
class Box:
    """A result, or a block of products under one; mm from the upper left corner."""

    key: str
    result: Row
    width: float
    height: float
    products: Sequence[Row] = ()
    columns: int = 1
    x: float = 0
    y: float = 0

    @property
    def leads_to(self) -> list[Row]:
        """Where its result leads, and its products beside it: each result once."""
        beside = [to for product in self.products for to in product["leads_to"]]
        own = self.result["leads_to"] if not self.products or self.result.get("level") == "immediate" else []
        return list({to["to"]: to for to in [*beside, *own]}.values())


def headline(told: Row) -> list[str]:
    """The weakest link; how many it misses, who answers for it and since when; what silence means. In sentences."""
    weak = told["weakest"]
    if not weak:
        return [say("No link has a coverage yet")]
    facts = {name: number(weak[name]) for name in ("missed", "denominator", "reporting", "facilities") if weak[name]}
    facts |= {"whom": told["subjects"][weak["subject"]], "share": f"{100 * weak['coverage']:.0f} %"}
    said = [
        say("The weakest link: {name}", name=weak["name"]),
        say("{missed} of {denominator} {whom} did not get it ({share} did).", **({"missed": 0} | facts))
        + " " + say("Who answers for it: {entity}.", entity=told["entities"][weak["entity"]])
        + (" " + say("Below in every month since {since}.", since=weak["since"]) if weak["since"] else ""),
    ]  # fmt: skip
    if weak["facilities"]:
        quiet = "{reporting} of {facilities} facilities reported: what a silent one did is not known, and no failed service."
        said.append(say(quiet, **facts))
    if context := [*told["context"], *weak["context"]]:
        said.append(say("Beside it: {events}.", events="; ".join(events(context))))
    return said


def number(count: int) -> str:
    """12 345, with a narrow space that does not break."""
    return f"{count:,}".replace(",", "\u202f")


def page(told: Row) -> str:
    """The sheet of what actions.chain.chain tells, as HTML that prints on one page."""
    tiers = laid_out(told)
    weak = told["weakest"] or {}
    lit = _above(told["results"], [link["to"] for link in weak.get("leads_to", [])])
    paths = sorted(_paths(tiers, lit, weak.get("product")), key=lambda path: path[1])
    return _template().render(
        told=told, said=headline(told), weakest=weak, lit=lit, tiers=tiers, paths=paths, size=SIZE
    )


def laid_out(told: Row) -> list[list[Box]]:
    """The boxes of each tier, from the final result down to the rows of blocks; names are cut where they would not fit."""
    results = {row["result"]: row for row in told["results"]}
    for most, everywhere in AT_MOST:
        links = [link | {"name": shorten(link["name"], most, placeholder="…")} for link in told["links"]]
        homes = _homes(links, results, everywhere)
        tiers = [*_upper(told["results"], _above(told["results"], homes)), *_packed(homes, results)]
        y, level = float(SIZE["head"]), "final"
        for tier in tiers:
            last, level = level, "block" if tier[0].products else tier[0].result["level"]
            y += BETWEEN if last == level == "block" else ABOVE[level]
            x = (SIZE["width"] + GUTTER - sum(box.width + GUTTER for box in tier)) / 2
            for box in tier:
                box.x, box.y = x, y
                x += box.width + GUTTER
            y += max(box.height for box in tier)
        if y <= SIZE["height"] - SIZE["foot"]:
            break
    return tiers


def _homes(links: Iterable[Row], results: Mapping[str, Row], everywhere: bool) -> dict[str, list[Row]]:
    """Result -> the products in its block: each under all its immediate results, else (or not `everywhere`) its first."""
    homes: dict[str, list[Row]] = {}
    for link in links:
        up = [to["to"] for to in link["leads_to"]]
        immediate = [key for key in up if results[key]["level"] == "immediate"]
        for key in (immediate if everywhere else immediate[:1]) or up[:1] or [""]:
            homes.setdefault(key, []).append(link)
    return {key: homes[key] for key in (*results, "") if key in homes}


def _upper(results: Iterable[Row], reached: set[str]) -> Iterator[list[Box]]:
    """The tiers of results above the blocks."""
    for level in ("final", "specific", "intermediate"):
        rows = [row for row in results if row["level"] == level and row["result"] in reached]
        width = (SIZE["width"] + GUTTER) / max(len(rows), 1) - GUTTER
        height = max((_head(row, width - PADDING) for row in rows), default=0) + 2
        if rows:
            yield [Box(row["result"], row, width, height) for row in rows]


def _packed(homes: Mapping[str, Sequence[Row]], results: Mapping[str, Row]) -> list[list[Box]]:
    """The rows of blocks that take the least height, of many numbers of columns; the highest block is widened first."""

    @cache
    def block(key: str, columns: int, on_page: int) -> Box:
        column = (SIZE["width"] + GUTTER) / on_page - GUTTER
        width, result = columns * (column + GUTTER) - GUTTER, results.get(key, {})
        height = _head(result, width - PADDING) + _products(homes[key], columns, column - PADDING) + PADDING
        return Box(key, result, width, height, homes[key], columns)

    found = []
    for on_page in COLUMNS if homes else ():
        blocks = {key: block(key, 1, on_page) for key in homes}
        for _ in range(2 * len(homes)):
            rows: list[list[Box]] = [[]]
            for box in sorted(blocks.values(), key=lambda box: box.height):
                if sum(one.columns for one in rows[-1]) + box.columns > on_page:
                    rows.append([])
                rows[-1].append(box)
            found.append((sum(max(box.height for box in row) + BETWEEN for row in rows), rows))
            highest = max(blocks.values(), key=lambda box: box.height)
            if highest.columns == WIDEST:
                break
            blocks[highest.key] = block(highest.key, highest.columns + 1, on_page)
    best = min(found, key=lambda one: one[0])[1] if found else []
    order = list(homes)
    return [[replace(box) for box in sorted(row, key=lambda box: order.index(box.key))] for row in best]


def _head(result: Row, width: float) -> float:
    """mm that a result's name and measure need."""
    says = result.get("open") or "100 % " + (result.get("indicator") or "")
    return 1.25 * LINE * _lines(str(result.get("name", "")), width / 1.35) + LINE * _lines(say(says), width) + 1


def _products(products: Sequence[Row], columns: int, width: float) -> float:
    """mm that products need in so many columns: each with a coverage by itself, then the others in one paragraph."""
    told = [f"100 % ▼10 −99 999 {one['name']} · {one['entity']} ◄ 2026-01" for one in products if not one["why"]]
    heights = [LINE * _lines(text, width - 1.3) + 2.2 for text in told]
    others = " ".join(f"○ {one['name']} · {one['entity']}" for one in products if one["why"])
    spill = max([LINE, *heights]) * (columns - 1) * 0.6  # a column ends where the next product would not fit
    return (sum(heights) + LINE * _lines(others, width) + spill) / columns + 2


def _lines(text: str, width: float) -> int:
    return len(wrap(text, max(int(width / CHARACTER), 8)))


def _above(results: Iterable[Row], start: Iterable[str]) -> set[str]:
    """The results that these lead to, themselves included."""
    up = {row["result"]: [to["to"] for to in row["leads_to"]] for row in results}
    seen, waiting = set[str](), list(start)
    while waiting:
        key = waiting.pop()
        waiting += up.get(key, []) if key not in seen else []
        seen.add(key)
    return seen


def _paths(tiers: Sequence[Sequence[Box]], lit: set[str], weakest: str | None) -> Iterator[tuple[str, bool, str]]:
    """(strength, whether it is above the weakest link, SVG path in mm) of each link to a tier above."""
    at = {box.key: n for n, tier in enumerate(tiers) for box in tier if not box.products}
    arriving: dict[str, list[tuple[float, int, Box, str]]] = {}
    for n, tier in enumerate(tiers):
        for box in tier:
            for to in box.leads_to:
                if at.get(to["to"], n) < n:
                    arriving.setdefault(to["to"], []).append((box.x + box.width / 2, n, box, to["strength"]))
    for target in chain.from_iterable(tiers):
        below = sorted(arriving.get(target.key, []) if not target.products else [], key=lambda one: one[0])
        for place, (middle, n, box, strength) in enumerate(below, start=1):
            x, y, end = middle, box.y, target.x + target.width * place / (len(below) + 1)
            drawn = f"M{x:.1f} {y:.1f}"
            for tier in reversed(tiers[at[target.key] + 1 : n]):  # through the gap nearest to half way
                gaps = [one.x + one.width + GUTTER / 2 for one in tier[: max(len(tier) - 1, 1)]]
                gap = min(gaps, key=lambda gap: abs(gap - (x + end) / 2))
                drawn += _curve(x, y, gap, max(one.y + one.height for one in tier)) + f"V{tier[0].y:.1f}"
                x, y = gap, tier[0].y
            mine = weakest in {one["product"] for one in box.products} or (box.key in lit and not box.products)
            yield strength, mine and target.key in lit, drawn + _curve(x, y, end, target.y + target.height)


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (y + to_y) / 2
    return f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"


@cache
def _template() -> Template:
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, autoescape=True)
    text = (files("winay.publish") / "production_line.html.j2").read_text("utf-8")
    return environment.from_string(text, globals={"say": say, "number": number, "strengths": STRENGTHS})
