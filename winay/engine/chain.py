"""Which link of the production line fails, for how many and since when; and where a package loses whom. Tables in, rows out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from winay.core.periods import Month
from winay.programme.chain import Link, Product
from winay.programme.indicators import Indicator
from winay.programme.load import Programme

Row = dict[str, Any]
Months = Mapping[str, Row]
"""`2026-05` -> the row of figures of one indicator and place in that month."""
COVERAGES = ("cross-section", "milestone", "episode")
"""The kinds of indicator whose denominator is who is owed, and whose numerator who got it."""
TREND = IN_A_ROW = 3
"""Months: the change is told against the figure of so many before; a link fails when it was below in so many in a row."""


def links(
    programme: Programme, own: Mapping[str, Months], country: Mapping[str, Months], month: Month,
    targets: Mapping[str, Mapping[str, float]],
) -> list[Row]:  # fmt: skip
    """One row a product, the weakest first: whoever misses most.

    own, country: the figures of the place and of the root by indicator's key (the same object where the place is the
    root). targets: indicator -> month -> the share published as target for the place. A product with several
    indicators is told by the one that misses most; one without a coverage says `why`, and comes last.
    """
    measures: dict[str, list[Indicator]] = {}
    for indicator in in_force(programme, month):
        if indicator.product and indicator.better == "higher" and indicator.kind in COVERAGES:
            measures.setdefault(indicator.product, []).append(indicator)
    rows = []
    for key, product in programme.products.items():
        divided = any(other.startswith(f"{key}/") for other in programme.products)
        if divided and key not in measures:
            continue  # its divisions stand for it
        told = [
            {"indicator": i.key, "subject": i.subject}
            | coverage(own.get(i.key, {}), country.get(i.key, {}), month, targets.get(i.indicator, {}), own is country)
            for i in measures.get(key, [])
        ]
        nothing = {"indicator": None, "subject": product.subject} | NOTHING | {"why": "no indicator"}
        up = [{"to": link.to, "strength": link.strength} for link in _leads_to(programme, product)]
        named = {"product": key, "name": str(product.name), "entity": product.entity, "leads_to": up}
        rows.append(named | min(told, key=_order, default=nothing))
    return sorted(rows, key=_order)


NOTHING: Row = dict.fromkeys(
    (
        "numerator",
        "denominator",
        "coverage",
        "trend",
        "missed",
        "since",
        "against",
        "bar",
        "reporting",
        "facilities",
        "why",
    )
)
"""What a link says of its coverage, before anything is known of it."""


def coverage(own: Months, country: Months, month: Month, targets: Mapping[str, float], is_country: bool) -> Row:
    """What one indicator says of a link: NOTHING's keys, or `why` it says nothing.

    since: the first of the IN_A_ROW months or more up to this one that were all below; `against` what (`bar`, this
    month's): the published target, else the country's figure of the same month; the country against its own median.
    """
    row = own.get(str(month), {})
    silent = {name: row.get(name) for name in ("reporting", "facilities")}
    why = (
        "no records yet" if not any(one["numerator"] for one in country.values())
        else "nobody was owed it that month" if not row.get("denominator")
        else "no facility reported" if row.get("facilities") and not row.get("reporting")
        else None
    )  # fmt: skip
    if why:
        return NOTHING | silent | {"why": why}
    values, before = _values(own, month), str(month.before(TREND))
    usual = dict.fromkeys(values, median(values.values())) if is_country else _values(country, month)
    bars = {**usual, **targets}
    return (
        NOTHING
        | silent
        | {
            "numerator": row["numerator"],
            "denominator": row["denominator"],
            "coverage": values[str(month)],
            "trend": values[str(month)] - values[before] if before in values else None,
            "missed": row["denominator"] - row["numerator"],
            "since": since(values, bars, month),
            "against": "target" if str(month) in targets else "median" if is_country else "country",
            "bar": bars.get(str(month)),
        }
    )


def since(values: Mapping[str, float], bars: Mapping[str, float], month: Month) -> str | None:
    """The first of IN_A_ROW months or more in a row, up to `month`, each below its bar; one without a figure ends it."""
    back = (str(month.before(n)) for n in range(len(values)))
    below = list(takewhile(lambda m: m in values and m in bars and values[m] < bars[m], back))
    return below[-1] if len(below) >= IN_A_ROW else None


def in_force(programme: Programme, month: Month) -> Iterator[Indicator]:
    """The indicators whose rule version is in force on the month's last day."""
    for indicator in programme.indicators.values():
        if programme.head.rules[indicator.rules].in_force.holds(month.last):
            yield indicator


def results(programme: Programme, own: Mapping[str, Months], month: Month) -> list[Row]:
    """One row a result, as written: its first indicator that has a figure, else what is `open`."""
    computed = {indicator.indicator: indicator.key for indicator in in_force(programme, month)}
    rows = []
    for key, result in programme.results.items():
        keys = [computed[name] for name in result.indicators if name in computed]
        found = {name: row for name in keys if (row := own.get(name, {}).get(str(month))) and row["denominator"]}
        name = next(iter(found), None)
        row = found[name] if name else {"numerator": None, "denominator": None}
        open = str(result.open) if result.open else "no records yet" if keys else "nothing computes it yet"
        rows.append(
            {
                "result": key,
                "level": result.level,
                "name": str(result.name),
                "indicator": name,
                "numerator": row["numerator"],
                "denominator": row["denominator"],
                "value": row["numerator"] / row["denominator"] if name else None,
                "open": None if name else open,
                "leads_to": [{"to": link.to, "strength": link.strength} for link in result.leads_to],
            }
        )
    return rows


def cascade(verdicts: pa.Table, bit: int) -> Row:
    """Of those in the denominator in one month: who got each component, who all so far, who lacks only that one.

    verdicts: of one indicator, each row a subject and place (engine.verdicts); bit: of the month. Gives denominator,
    whole, components (name, got, so_far, only), and repair: the component that most lack as their only one.
    """
    rows = {name: (verdicts[name].to_numpy() & bit) != 0 for name in _masks(verdicts)}
    inside = rows.pop("denominator")
    whole = rows.pop("met") & inside
    lacking = np.sum([~got for got in rows.values()], axis=0)
    so_far, components = inside, []
    for name, got in rows.items():
        so_far = so_far & got
        only = inside & ~got & (lacking == 1)
        counts = {"got": inside & got, "so_far": so_far, "only": only}
        components.append({"name": name.removeprefix("c__")} | {count: int(who.sum()) for count, who in counts.items()})
    worst = max(components, key=lambda one: one["only"])
    repair = worst["name"] if worst["only"] else None
    return {"denominator": int(inside.sum()), "whole": int(whole.sum()), "components": components, "repair": repair}


def _masks(verdicts: pa.Table) -> Sequence[str]:
    return ["denominator", "met", *(name for name in verdicts.column_names if name.startswith("c__"))]


def _leads_to(programme: Programme, product: Product) -> list[Link]:
    """Its own links; those of a divided product are the one that most of its divisions have."""
    if product.leads_to:
        return list(product.leads_to)
    parts = [other for key, other in programme.products.items() if key.startswith(f"{product.key}/")]
    found = [link for part in parts for link in part.leads_to]
    most = Counter(link.to for link in found).most_common(1)
    return [next(link for link in found if link.to == most[0][0])] if most else []


def _values(months: Months, last: Month) -> dict[str, float]:
    """The share of each month up to the last that has one."""
    shares = {m: row["numerator"] / row["denominator"] for m, row in months.items() if row["denominator"]}
    return {m: share for m, share in shares.items() if m <= str(last)}


def _order(row: Row) -> tuple[int, bool, str]:
    """Whoever misses most first; a link that says nothing last."""
    return -(row["missed"] or 0), row["coverage"] is None, str(row["indicator"])
