"""What a contact proves: spec rows, and the compiled matchers against the slow ones."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.matching import Row, proven
from winay.programme.load import Head, Programme
from winay.programme.services import Matcher
from winay.records.matching import services

PROVIDERS = {"f1": {"ambito": "1"}, "f2": {"ambito": "2"}}


def programme(matchers: dict[str, Any]) -> Programme:
    head = Head.model_validate(
        {"programme": "t", "name": "t", "levels": [], "subjects": {}, "counted_types": ["D", "R"]}
    )
    return Programme(Path("."), "x", head, {name: Matcher.model_validate(m) for name, m in matchers.items()})


def compiled(program: Programme, rows: list[Row]) -> list[dict[str, Any]]:
    table = pa.table({
        "contact": pa.array([r.contact for r in rows], pa.int64()),
        "person": pa.array([r.contact * 10 for r in rows], pa.int64()),
        "day": pa.array([r.contact for r in rows], pa.int32()).cast(pa.date32()),
        "weight": pa.nulls(len(rows), pa.float64()),
        "height": pa.nulls(len(rows), pa.float64()),
        "haemoglobin": pa.array([r.haemoglobin for r in rows], pa.float64()),
        **{name: pa.array([getattr(r, name) for r in rows], pa.string()) for name in ("provider", "code", "type", "lab")},
        **{name: pa.array([getattr(r, name) for r in rows], pa.int32()) for name in ("known", "gone")},
    })  # fmt: skip
    facilities = pa.table({"provider": list(PROVIDERS), "ambito": [p["ambito"] for p in PROVIDERS.values()]})
    return services(program, table, facilities).to_pylist()


def held(program: Programme, rows: list[Row], day: int) -> set[tuple[int, str]]:
    names = sorted(program.services)
    found = [row for row in compiled(program, rows) if row["known"] <= day < row["gone"]]
    assert all(row["person"] == row["contact"] * 10 and row["day"] == row["contact"] for row in found)
    return {(row["contact"], names[row["service"]]) for row in found}


IRON = {
    "iron": {
        "any": [
            {"code": ["I"], "lab_not": ["SF1"], "without": {"code": ["T"]}},
            {"code": ["I"], "with": {"code": ["V"]}},
        ]
    },
    "iron-first": {"all": [{"is": "iron"}, {"lab_not": ["TA"], "without": {"code": ["A", "B"]}}]},
    "anaemia": {"code": ["A"], "type": ["D"]},
    "treated": {"all": [{"is": "iron"}, {"with": {"is": "anaemia"}}]},
    "low": {"code": ["H"], "value": {"haemoglobin": {"below": 11}}},
    "public": {"code": ["I"], "provider": {"ambito": ["1"]}},
}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([Row(1, "I", "D", "1"), Row(1, "I", "D", "TA")], {"iron"}),  # one item that is finished: not a first one
        ([Row(1, "I", "D", "SF1")], set()),
        ([Row(1, "I", "D", "SF1"), Row(1, "V", "D")], {"iron", "iron-first"}),
        ([Row(1, "I", "P")], set()),  # type P never counts
        ([Row(1, "I", "D"), Row(1, "A", "P")], {"iron", "iron-first"}),  # and does not count as an anaemia code
        ([Row(1, "I", "D"), Row(1, "A", "R")], {"iron"}),
        ([Row(1, "I", "D"), Row(1, "A", "D")], {"iron", "anaemia", "treated"}),
        ([Row(1, "I", "D"), Row(1, "T", "D")], set()),
        ([Row(1, "H", "D", haemoglobin=10.9), Row(2, "H", "D", haemoglobin=11.0), Row(3, "H", "D")], {"low"}),
        ([Row(1, "I", "D", provider="f1")], {"iron", "iron-first", "public"}),
        ([Row(1, "I", "D", provider="f3")], {"iron", "iron-first"}),
    ],
)
def test_what_a_contact_proves(rows: list[Row], expected: set[str]) -> None:
    assert {name for _, name in held(programme(IRON), rows, 0)} == expected


def test_a_row_that_comes_later_changes_the_contact_from_that_day() -> None:
    """Iron known on day 5; the anaemia code of the same contact arrives on day 9 and is withdrawn on day 12."""
    rows = [Row(1, "I", "D", known=5), Row(1, "A", "D", known=9, gone=12)]
    told = {day: {name for _, name in held(programme(IRON), rows, day)} for day in (4, 5, 9, 12)}
    assert told == {4: set(), 5: {"iron", "iron-first"}, 9: {"iron", "anaemia", "treated"}, 12: {"iron", "iron-first"}}


CODES, TYPES, LABS = "ABC", "DRP", ["1", "TA", None]
simple = st.fixed_dictionaries(
    {},
    optional={
        "code": st.lists(st.sampled_from(CODES), min_size=1, max_size=2, unique=True),
        "type": st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True),
        "lab": st.just(["1"]),
        "lab_not": st.lists(st.sampled_from(["1", "TA"]), min_size=1, unique=True),
        "value": st.sampled_from(
            [{"haemoglobin": {"below": 11}}, {"haemoglobin": {"from": 10, "to": 11}}, {"haemoglobin": {}}]
        ),
        "provider": st.just({"ambito": ["1"]}),
    },
).filter(bool)
matchers = st.recursive(
    simple,
    lambda part: st.fixed_dictionaries(
        {},
        optional={
            "code": st.lists(st.sampled_from(CODES), min_size=1, max_size=2, unique=True),
            "with": st.lists(part, min_size=1, max_size=2),
            "without": st.lists(part, min_size=1, max_size=2),
            "all": st.lists(part, min_size=1, max_size=2),
            "any": st.lists(part, min_size=1, max_size=2),
        },
    ).filter(bool),
    max_leaves=5,
)
row = st.builds(
    Row,
    contact=st.integers(1, 3),
    code=st.sampled_from(CODES),
    type=st.sampled_from(TYPES),
    lab=st.sampled_from(LABS),
    haemoglobin=st.sampled_from([None, 9.0, 10.5, 11.0]),
    known=st.integers(0, 3),
    gone=st.sampled_from([2, 3, 1000]),
).filter(lambda r: r.known < r.gone)


@settings(max_examples=300, deadline=None)
@given(st.lists(matchers, min_size=1, max_size=3), st.lists(row, max_size=8), st.sampled_from(["f1", "f2", None]))
def test_the_compiled_matchers_equal_the_slow_ones(
    written: list[dict[str, Any]], rows: list[Row], provider: str | None
) -> None:
    """On every known day; a service may reuse the one before it. The rows of a contact are of one facility."""
    named = {f"s{n}": m if n == 0 or n % 2 else {"all": [{"is": f"s{n - 1}"}, m]} for n, m in enumerate(written)}
    program = programme(named)
    rows = [dataclasses.replace(r, provider=provider) for r in rows]
    for day in range(5):
        slow = proven(program.services, program.head.counted_types, rows, day, PROVIDERS)
        assert held(program, rows, day) == slow


@pytest.mark.parametrize("how", ["any", "all"])
def test_what_a_part_asks_beside_is_looked_at(how: str) -> None:
    rows = [Row(1, "A", "D"), Row(1, "B", "D")]
    assert held(programme({"s": {"code": ["B"], how: [{"with": {"code": ["A"]}}]}}), rows, 0) == {(1, "s")}


def test_nothing_gives_nothing() -> None:
    assert compiled(programme(IRON), []) == []
    assert np.array(compiled(programme(IRON), [Row(1, "Z", "D")])).size == 0
