"""Every worked case of the shipped programme holds: the ministries' own examples, and the readings of ambiguous rules."""

from functools import cache

import pytest

from tests.cases import Case, Found, cases, differences, found
from winay.programme.locate import find, programme

CASES = dict(enumerate(cases(find("pe-dit") / "cases")))


@cache
def judged(on: str, kind: str) -> Found:
    return found(
        programme("pe-dit"), {n: c for n, c in CASES.items() if (c.said["on"], c.said["subject"]["kind"]) == (on, kind)}
    )


@pytest.mark.parametrize("number", CASES, ids=lambda number: CASES[number].name)
def test_case(number: int) -> None:
    case: Case = CASES[number]
    assert not differences(case, number, judged(case.said["on"], case.said["subject"]["kind"])), (
        f"{case.at} {case.name}"
    )
