"""Which link of the production line fails, for how many and since when; and where a package loses whom. Tables in, rows out."""

from collections import Counter
from collections.abc import Mapping
from itertools import takewhile
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from winay.core.periods import Month
from winay.programme.chain import Link
from winay.programme.indicators import Indicator
from winay.programme.load import Programme

Row = dict[str, Any]
Months = Mapping[str, Row]
"""`2026-05` -> the row of figures of one indicator and place in that month."""
TREND = IN_A_ROW = 3
"""Months: the change is told against the figure of so many before; a link fails when it was below in so many in a row."""
NO_SHARE = ("ratio",)
"""Kinds of indicator whose numerator is not part of the denominator."""
MEASURED = ("numerator", "denominator", "coverage", "trend", "missed", "since", "against", "bar", "reporting",
            "facilities", "why")  # fmt: skip


def links(
    programme: Programme, own: Mapping[str, Months], country: Mapping[str, Months], month: Month,
    targets: Mapping[str, Mapping[str, float]],
) -> list[Row]:  # fmt: skip
    """One row a product, the weakest first: whoever misses most.

    own, country: the figures of the place and of the root by indicator's key (the same object where the place is the
    root). targets: indicator -> month -> the share published as target for the place. A product with several
    indicators is told by the one that misses most; one without a coverage says `why`, and comes last. A product that
    is divided and has no indicator of its own is left out: its divisions stand for it.
    """
    measures: dict[str | None, list[Indicator]] = {}
    for indicator in _in_force(programme, month).values():
        if indicator.better == "higher":
            measures.setdefault(indicator.product, []).append(indicator)
    rows = []
    for key, product in programme.products.items():
        parts = [part for code, part in programme.products.items() if code.startswith(f"{key}/")]
        if parts and key not in measures:
            continue
        told = [
            {"indicator": i.key, "subject": i.subject}
            | coverage(own.get(i.key, {}), country.get(i.key, {}), month, targets.get(i.indicator, {}), own is country)
            for i in measures.get(key, [])
        ]
        nothing = {"indicator": None, "subject": product.subject} | dict.fromkeys(MEASURED) | {"why": "no indicator"}
        named = {"product": key, "name": str(product.name), "entity": product.entity}
        up = _told(product.leads_to or _most([link for part in parts for link in part.leads_to]))
        rows.append(named | {"leads_to": up} | min(told, key=_order, default=nothing))
    return sorted(rows, key=_order)


def coverage(own: Months, country: Months, month: Month, targets: Mapping[str, float], is_country: bool) -> Row:
    """What one indicator says of a link: the keys of MEASURED, or `why` it says nothing.

    since: the first of the IN_A_ROW months or more up to this one that were all below; `against` what (`bar`, this
    month's): the published target, else the country's figure of the same month; the country against its own median.
    """
    row, now = own.get(str(month), {}), str(month)
    told = dict.fromkeys(MEASURED) | {name: row.get(name) for name in ("reporting", "facilities")}
    if not any(one["numerator"] for one in country.values()):
        return told | {"why": "no records yet"}
    if not row.get("denominator"):
        return told | {"why": "nobody was owed it that month"}
    if told["facilities"] and not told["reporting"]:
        return told | {"why": "no facility reported"}
    values, before = _values(own, month), str(month.before(TREND))
    usual = dict.fromkeys(values, median(values.values())) if is_country else _values(country, month)
    bars = {**usual, **targets}
    return told | {
        "numerator": row["numerator"],
        "denominator": row["denominator"],
        "coverage": values[now],
        "trend": values[now] - values[before] if before in values else None,
        "missed": row["denominator"] - row["numerator"],
        "since": since(values, bars, month),
        "against": "target" if now in targets else "median" if is_country else "country",
        "bar": bars.get(now),
    }


def since(values: Mapping[str, float], bars: Mapping[str, float], month: Month) -> str | None:
    """The first of IN_A_ROW months or more in a row, up to `month`, each below its bar; one without a figure ends it."""
    back = (str(month.before(n)) for n in range(len(values)))
    below = list(takewhile(lambda m: m in values and m in bars and values[m] < bars[m], back))
    return below[-1] if len(below) >= IN_A_ROW else None


def results(
    programme: Programme, own: Mapping[str, Months], country: Mapping[str, Months], month: Month,
    targets: Mapping[str, Mapping[str, float]],
) -> list[Row]:  # fmt: skip
    """One row a result, as written: its first indicator that has a figure and its target, else what is `open`.

    Arguments as of `links`."""
    computed, rows = _in_force(programme, month), []
    for key, result in programme.results.items():
        keys = [computed[name].key for name in result.indicators if name in computed]
        told = {name: coverage(own.get(name, {}), country.get(name, {}), month, {}, own is country) for name in keys}
        name = next((name for name, one in told.items() if not one["why"]), None)
        one = told[name] if name else dict.fromkeys(MEASURED)
        open = str(result.open) if result.open else told[keys[0]]["why"] if keys else "nothing computes it yet"
        named = {"result": key, "level": result.level, "name": str(result.name), "indicator": name}
        measured = {"numerator": one["numerator"], "denominator": one["denominator"], "value": one["coverage"]}
        measured["target"] = targets.get((name or "").partition("@")[0], {}).get(str(month))
        rows.append(named | measured | {"open": None if name else open, "leads_to": _told(result.leads_to)})
    return rows


def cascade(verdicts: pa.Table, bit: int) -> Row:
    """Of those in the denominator in one month: who got each component, who all so far, who lacks only that one.

    verdicts: of one indicator, each row a subject and place (engine.verdicts); bit: of the month. Gives denominator,
    whole, components (name, got, so_far, only), and repair: the component that most lack as their only one.
    """
    names = [name for name in verdicts.column_names if name.startswith("c__")]
    inside = (verdicts["denominator"].to_numpy() & bit) != 0
    got = {name: (verdicts[name].to_numpy()[inside] & bit) != 0 for name in names}
    lacking, so_far, components = np.sum([~one for one in got.values()], axis=0), np.True_, []
    for name, one in got.items():
        so_far = so_far & one
        counts = {"got": one, "so_far": so_far, "only": ~one & (lacking == 1)}
        components.append({"name": name.removeprefix("c__")} | {count: int(who.sum()) for count, who in counts.items()})
    worst = max(components, key=lambda one: one["only"])
    whole = int(((verdicts["met"].to_numpy() & bit) != 0).sum())
    repair = worst["name"] if worst["only"] else None
    return {"denominator": int(inside.sum()), "whole": whole, "components": components, "repair": repair}


def _in_force(programme: Programme, month: Month) -> dict[str, Indicator]:
    """Indicators that are shares, by code, under the rule version in force on the month's last day."""
    rules = programme.head.rules
    shares = (one for one in programme.indicators.values() if one.kind not in NO_SHARE)
    return {one.indicator: one for one in shares if rules[one.rules].in_force.holds(month.last)}


def _most(links: list[Link]) -> list[Link]:
    """Of the links of a product's divisions, one to the result that most lead to."""
    most = Counter(link.to for link in links).most_common(1)
    return [next(link for link in links if link.to == most[0][0])] if most else []


def _told(links: list[Link]) -> list[Row]:
    return [{"to": link.to, "strength": link.strength} for link in links]


def _values(months: Months, last: Month) -> dict[str, float]:
    """The share of each month up to the last that has one."""
    shares = {m: row["numerator"] / row["denominator"] for m, row in months.items() if row["denominator"]}
    return {m: share for m, share in shares.items() if m <= str(last)}


def _order(row: Row) -> tuple[int, bool, str]:
    """Whoever misses most first; a link that says nothing last."""
    return -(row["missed"] or 0), row["coverage"] is None, str(row["indicator"])
