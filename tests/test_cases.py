"""Every worked case of every shipped programme holds: the authorities' own examples, and the readings of ambiguous rules."""

from functools import cache

import pytest

from tests.cases import Case, Found, cases, differences, found
from winay.programme.locate import find, programme

CASES = {name: dict(enumerate(cases(find(name) / "cases"))) for name in ("pe-dit", "sandara-vaccines")}
EACH = [(name, number) for name, listed in CASES.items() for number in listed]


@cache
def judged(name: str, on: str, kind: str) -> Found:
    same = {n: c for n, c in CASES[name].items() if (c.said["on"], c.said["subject"]["kind"]) == (on, kind)}
    return found(programme(name), same)


@pytest.mark.parametrize(("name", "number"), EACH, ids=[CASES[name][number].name for name, number in EACH])
def test_case(name: str, number: int) -> None:
    case: Case = CASES[name][number]
    of_the_day = judged(name, case.said["on"], case.said["subject"]["kind"])
    assert not differences(case, number, of_the_day), f"{case.at} {case.name}"
