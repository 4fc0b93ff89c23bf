"""The production line on one A3 sheet: results above, products below, the weakest link in black; each box has its mm."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import chain as joined
from itertools import product
from textwrap import shorten, wrap
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from winay.core.text import say

Row = dict[str, Any]
WIDTH, HEIGHT = 404.0, 280.0
"""mm inside the margins of 8 of a landscape A3."""
HEAD, FOOT = 32.0, 11.0
ABOVE = {"final": 0.0, "specific": 5.0, "intermediate": 10.0, "block": 12.0, "more": 5.0}
"""Tier from the top -> the room above it, where links run. Immediate results head the blocks of their products."""
GUTTER, PADDING = 3.0, 3.0
"""mm between boxes, and inside one."""
IN_ROW, ROWS, WIDEST = range(6, 19), (1, 2, 3), 4
"""How many columns a row of blocks may have, how many rows there may be, how many columns one block."""
AT_MOST = (200, 60, 48, 40, 32, 24)
"""Characters of a product's name: the first of these with which everything fits."""
LINE, CHARACTER = 2.85, 1.18
"""mm that a line, and a character on the average, of 7 points take."""
Block = tuple[str, int, float, float]
"""Result, columns, and mm of width and height."""
STRENGTHS = ("strong", "moderate", "weak", "proposed")


@dataclass
class Box:
    """A result, or a block of products under one; mm from the upper left corner."""

    key: str
    x: float
    y: float
    width: float
    height: float
    result: Row | None
    products: Sequence[Row] = ()
    columns: int = 1
    leads_to: list[Row] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def page(told: Row) -> str:
    """The sheet of what actions.chain.chain tells, as HTML that prints on one page."""
    tiers = laid_out(told)
    weak = told["weakest"] or {}
    lit = _above(told["results"], [link["to"] for link in weak.get("leads_to", [])])
    drawn = {
        "paths": list(_paths(tiers, lit, weak.get("product"))),
        "known": [link for link in told["links"] if link["coverage"] is not None],
        "common": _common(told["links"]),
        "size": {"width": WIDTH, "height": HEIGHT, "head": HEAD, "foot": FOOT},
    }
    return _template().render(told=told, weakest=weak, lit=lit, tiers=tiers, **drawn)


def laid_out(told: Row) -> list[list[Box]]:
    """The boxes of each tier, from the final result down to the rows of blocks; names are cut where they would not fit."""
    for most in AT_MOST:
        links = [link | {"name": shorten(link["name"], most, placeholder="…")} for link in told["links"]]
        tiers = _tiers(told | {"links": links})
        if max((box.y + box.height for box in joined.from_iterable(tiers)), default=0) <= HEIGHT - FOOT:
            break
    return tiers


def _tiers(told: Row) -> list[list[Box]]:
    results = {row["result"]: row for row in told["results"]}
    homes = _homes(told["links"], results)
    reached = _above(told["results"], homes)
    tiers, y = [], HEAD
    for level in ("final", "specific", "intermediate"):
        row = [row for key, row in results.items() if row["level"] == level and key in reached]
        if row:
            y += ABOVE[level]
            across = (WIDTH + GUTTER) / len(row)
            height = max(_head(one, across - GUTTER - PADDING) for one in row) + 2
            tiers.append([
                Box(one["result"], n * across, y, across - GUTTER, height, one, leads_to=one["leads_to"])
                for n, one in enumerate(row)
            ])  # fmt: skip
            y += height
    for n, blocks in enumerate(_packed(homes, results, _common(told["links"]))):
        y += ABOVE["more" if n else "block"]
        x = (WIDTH + GUTTER - sum(width + GUTTER for _, _, width, _ in blocks)) / 2
        tiers.append([])
        for key, columns, width, height in blocks:
            up = _leads_to(key, homes[key], results)
            tiers[-1].append(Box(key, x, y, width, height, results.get(key), homes[key], columns, up))
            x += width + GUTTER
        y += max(box.height for box in tiers[-1])
    return tiers


def _homes(links: Iterable[Row], results: Mapping[str, Row]) -> dict[str, list[Row]]:
    """Result -> the products in its block: each in those of all its immediate results, else in that of its first one."""
    homes: dict[str, list[Row]] = {}
    for link in links:
        up = [to["to"] for to in link["leads_to"]]
        for key in [key for key in up if results[key]["level"] == "immediate"] or up[:1] or [""]:
            homes.setdefault(key, []).append(link)
    return {key: homes[key] for key in (*results, "") if key in homes}


def _leads_to(key: str, products: Iterable[Row], results: Mapping[str, Row]) -> list[Row]:
    """Where a block leads: where its result does, and its products beside it."""
    own = results[key]["leads_to"] if key in results and results[key]["level"] == "immediate" else []
    beside = [to for one in products for to in one["leads_to"] if results[to["to"]]["level"] != "immediate"]
    strongest = sorted([*own, *beside], key=lambda to: STRENGTHS.index(to["strength"]), reverse=True)
    return list({to["to"]: to for to in strongest}.values())


def _packed(homes: Mapping[str, Sequence[Row]], results: Mapping[str, Row], common: str) -> list[list[Block]]:
    """The rows of blocks that take the least height: of all numbers of columns and rows, each block as wide as it needs."""

    @cache
    def block(key: str, columns: int, wide: int) -> Block:
        across = (WIDTH + GUTTER) / wide
        width = columns * across - GUTTER
        products = _products(homes[key], columns, across - GUTTER - PADDING, common)
        return key, columns, width, _head(results.get(key, {}), width - PADDING) + products + PADDING

    found: list[list[list[Block]]] = []
    for wide, count in product(IN_ROW, ROWS):
        blocks = [block(key, 1, wide) for key in homes]
        while (rows := _in_rows(blocks, wide, count)) is not None:
            found.append(rows)
            highest = max(range(len(blocks)), key=lambda n: blocks[n][3])
            key, columns, _, _ = blocks[highest]
            if columns == min(wide, WIDEST):
                break
            blocks[highest] = block(key, columns + 1, wide)
    order = list(homes)
    best = min(found, key=lambda rows: sum(max(height for *_, height in row) for row in rows), default=[])
    return [sorted(row, key=lambda one: order.index(one[0])) for row in best]


def _in_rows(blocks: Sequence[Block], wide: int, count: int) -> list[list[Block]] | None:
    """Blocks in rows of so many columns, low ones above; None where there are not rows enough."""
    rows: list[list[Block]] = []
    for one in sorted(blocks, key=lambda one: one[3]):
        if not rows or sum(columns for _, columns, _, _ in rows[-1]) + one[1] > wide:
            rows.append([])
        rows[-1].append(one)
    return rows if 0 < len(rows) <= count else None


def _head(result: Row, width: float) -> float:
    """mm that a result's name and measure need."""
    says = result.get("open") or "100 % " + (result.get("indicator") or "")
    return (
        1.25 * LINE * len(_lines(str(result.get("name", "")), width / 1.2)) + LINE * len(_lines(say(says), width)) + 1
    )


def _products(products: Sequence[Row], columns: int, width: float, common: str) -> float:
    """mm that products need in so many columns: each with a coverage by itself, then the others in one paragraph."""
    heights, others = [0.0], ""
    for one in products:
        if one["coverage"] is None:
            others += f"○ {one['name']} " + f"· {one['entity']} " * (one["entity"] != common)
        else:
            text = f"100 % ▼10 −99 999 {one['name']} · {one['entity']}" + " ◄ 2026-01" * bool(one["since"])
            heights.append(LINE * len(_lines(text, width - 1.3)) + 2.2)
    total = sum(heights) + LINE * len(_lines(others, width)) + 1
    return total / columns + (max(*heights, LINE) * (columns - 1) / columns)


def _common(links: Sequence[Row]) -> str:
    """The entity that answers for most; said once, not in every box."""
    return Counter(link["entity"] for link in links).most_common(1)[0][0] if links else ""


def _lines(text: str, width: float) -> list[str]:
    return wrap(text, max(int(width / CHARACTER), 8))


def _above(results: Iterable[Row], start: Iterable[str]) -> set[str]:
    """The results that these lead to, themselves included."""
    up = {row["result"]: [to["to"] for to in row["leads_to"]] for row in results}
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += up.get(key, [])
    return seen


def _paths(tiers: Sequence[Sequence[Box]], lit: set[str], weakest: str | None) -> Iterator[tuple[str, bool, str]]:
    """(strength, whether the weakest link leads over it, SVG path in mm) of each link to a tier above."""
    at = {box.key: (tier, box) for tier, boxes in enumerate(tiers) for box in boxes if not box.products}
    arriving: dict[str, list[Box]] = {}
    for box in joined.from_iterable(tiers):
        for to in box.leads_to:
            arriving.setdefault(to["to"], []).append(box)
    for tier, boxes in enumerate(tiers):
        for box in boxes:
            own = any(one["product"] == weakest for one in box.products)
            for to in box.leads_to:
                if to["to"] not in at or at[to["to"]][0] >= tier:
                    continue
                upper, target = at[to["to"]]
                others = sorted(arriving[target.key], key=lambda one: one.middle)
                end = target.x + target.width * (others.index(box) + 1) / (len(others) + 1)
                path = _path(box, end, target.y + target.height, tiers[upper + 1 : tier])
                yield to["strength"], to["to"] in lit and (own or (box.key in lit and not box.products)), path


def _path(box: Box, end: float, bottom: float, between: Sequence[Sequence[Box]]) -> str:
    """From the top of a box to a point below another, through the gaps of the tiers between."""
    x, y = box.middle, box.y
    drawn = f"M{x:.1f} {y:.1f}"
    for boxes in reversed(between):
        gaps = [boxes[0].x - GUTTER / 2, *(one.x + one.width + GUTTER / 2 for one in boxes)]
        straight = x + (end - x) * (y - boxes[0].y) / (y - bottom)
        gap, floor = min(gaps, key=lambda gap: abs(gap - straight)), max(one.y + one.height for one in boxes)
        drawn += _curve(x, y, gap, floor) + f"V{boxes[0].y:.1f}"
        x, y = gap, boxes[0].y
    return drawn + _curve(x, y, end, bottom)


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (y + to_y) / 2
    return f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"


@cache
def _template() -> Template:
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, autoescape=True)
    text = (files("winay.publish") / "production_line.html.j2").read_text("utf-8")
    return environment.from_string(text, globals={"say": say, "strengths": STRENGTHS})
