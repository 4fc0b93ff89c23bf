"""Which services the items of a contact prove, said slowly: the judge of `records/matching.py`."""

from collections.abc import Iterable
from dataclasses import dataclass

from winay.programme.services import Matcher


@dataclass(frozen=True)
class Row:
    """One row of one contact as it came, with the known days it was in force: from `known`, before `gone`."""

    contact: int
    code: str
    type: str | None
    lab: str | None = None
    haemoglobin: float | None = None
    provider: str | None = None
    known: int = 0
    gone: int = 1000


Item = list[Row]


def proven(
    services: dict[str, Matcher],
    counted: list[str],
    rows: Iterable[Row],
    day: int,
    providers: dict[str, dict[str, str]],
) -> set[tuple[int, str]]:
    """(contact, service) that hold on the known day."""
    contacts: dict[int, dict[str, Item]] = {}
    for row in rows:
        if row.known <= day < row.gone:
            contacts.setdefault(row.contact, {}).setdefault(row.code, []).append(row)

    def holds(m: Matcher, item: Item, others: list[Item]) -> bool:
        code, types = item[0].code, {row.type for row in item}
        labs = {row.lab for row in item}
        if m.code is not None and code not in m.code:
            return False
        wanted = m.type or (counted if m.code is not None else [])
        if wanted and not types & set(wanted):
            return False
        if m.lab is not None and not labs & set(m.lab):
            return False
        if m.lab_not is not None and labs & set(m.lab_not):
            return False
        for measure, condition in (m.value or {}).items():
            values = [v for row in item if (v := getattr(row, measure)) is not None]
            if not any(
                (condition.from_ is None or v >= condition.from_)
                and (condition.to is None or v <= condition.to)
                and (condition.below is None or v < condition.below)
                for v in values
            ):
                return False
        for attribute, allowed in (m.provider or {}).items():
            if providers.get(item[0].provider or "", {}).get(attribute) not in allowed:
                return False
        beside = [(other, [item, *(o for o in others if o is not other)]) for other in others]
        if m.with_ is not None and not any(holds(w, *pair) for w in m.with_ for pair in beside):
            return False
        if m.without is not None and any(holds(w, *pair) for w in m.without for pair in beside):
            return False
        if m.is_ is not None and not holds(services[m.is_], item, others):
            return False
        if m.all_ is not None and not all(holds(part, item, others) for part in m.all_):
            return False
        return m.any_ is None or any(holds(part, item, others) for part in m.any_)

    return {
        (contact, name)
        for contact, items in contacts.items()
        for name, matcher in services.items()
        for item in items.values()
        if holds(matcher, item, [other for other in items.values() if other is not item])
    }
