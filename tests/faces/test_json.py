"""The keys that scripts rely on, which `--help` lists."""

import json

import pytest

FIGURE = [
    *("address", "indicator", "rules", "level", "place", "name", "period", "numerator", "denominator", "value"),
    *("excluded", "provisional", "history", "reporting", "facilities", "as_of", "known_on", "snapshot", "state"),
    *("published", "context"),
]
BY_SEX = [*FIGURE[:3], "sex", *FIGURE[3:]]
SERIES = ["series", "title", "indicator", "target", "unit", "issuer", "date", "caveat"]
VALUES = [*SERIES, "place", "name", "period", "value", "low", "high", "numerator", "denominator"]
DUE = [
    *("settlement", "household", "subject", "name", "kind", "birth", "district", "product", "delivery", "status"),
    *("since", "by", "until", "rules", "days"),
]
CHILD = ["subject", "on", "known_on", "attributes", "residences", "standards", "indicators"]
SUBJECT = ["subject", "on", "known_on", "attributes", "registry", "indicators"]
COMPARED = ["on", "known_on", "period", "changes", "figures"]
CHAIN = [
    *("programme", "place", "name", "level", "period", "as_of", "known_on", "snapshot", "state", "weakest", "context"),
    *("links", "results", "entities", "subjects"),
]
LINK = [
    *("product", "name", "entity", "leads_to", "indicator", "subject", "numerator", "denominator", "coverage", "trend"),
    *("missed", "since", "against", "bar", "reporting", "facilities", "why", "context"),
]
CASCADE = [
    *("indicator", "name", "place", "period", "snapshot", "state", "denominator", "whole", "components", "repair"),
]
KEYS = {
    "chain --place 01 --period 2026-10": CHAIN,
    "cascade menor-12-fed2026 --place 01 --period 2026-10": CASCADE,
    "figures MC-02.01 --by province --period 2026-10": FIGURE,
    "figures MC-02.01 --by sex --period 2026-10": BY_SEX,
    "figures MIDIS-29": FIGURE,
    "series": [*SERIES, "values", "first", "last"],
    "series MEF-4910": VALUES,
    "subjects MC-02.01 --period 2026-10": ["subject", "district", "verdict", "components"],
    "subjects MC-02.01 --period 2026-10 --identities": ["document", "district", "verdict", "components"],
    "due --place 01 --on 2026-10-31": DUE,
    "due --place 01 --on 2026-10-31 --identities": DUE,
    "child dni:00770001 --on 2026-10-31": CHILD,
    "explain dni:00770001 --on 2026-10-31": SUBJECT,
    "explain dni:00770001 --on 2026-10-31 --raw --indicator MC-02.01": SUBJECT,
    "programme diff pe-dit pe-dit-2027": COMPARED,
    "what-if change.yaml --on 2025-10-31": ["change", *COMPARED],
    "explain MC-02.01@FED2026/010101/2026-10": ["figure", "rule", "counts", "missing", "list"],
}


@pytest.mark.parametrize("line", KEYS)
def test_keys(winay, line):
    winay("evaluate", "--on", "2026-10-31", "--known-on", "2026-11-05", "-w", "ws")
    status, out, err = winay(*line.split(), "--json", "-w", "ws")
    assert status == 0, err
    told = json.loads(out)
    assert told, "the samples show nothing"
    for row in told if isinstance(told, list) else [told]:
        assert list(row) == KEYS[line]
    verb = line.split()[: 2 if line.startswith("programme") else 1]
    help = " ".join(winay(*verb, "--help")[1].split())
    assert all(key in help for key in KEYS[line] if key != "sex")


def test_the_chain_says_of_every_link_the_same(winay):
    """Also of one without a coverage; the weakest is the first of them; the cascade's whole is the figure's numerator."""
    winay("evaluate", "--on", "2026-10-31", "--known-on", "2026-11-05", "-w", "ws")
    told = json.loads(winay("chain", "--place", "01", "--json", "-w", "ws")[1])
    assert {tuple(link) for link in told["links"]} == {tuple(LINK)}
    assert told["weakest"] == told["links"][0] and told["weakest"]["coverage"] is not None
    help = " ".join(winay("chain", "--help")[1].split())
    assert all(key in help for key in LINK)
    asked = ["--place", "01", "--period", "2026-10", "--json", "-w", "ws"]
    (cascade,) = json.loads(winay("cascade", "menor-12-fed2026", *asked)[1])
    (figure,) = json.loads(winay("figures", cascade["indicator"], *asked)[1])
    assert (cascade["whole"], cascade["denominator"]) == (figure["numerator"], figure["denominator"])
    assert cascade["components"][-1]["so_far"] == cascade["whole"]


def test_the_list_has_as_many_lines_as_the_figure(winay):
    """Every verdict of the list is counted in the figure, and the proof's counts are the list's."""
    winay("evaluate", "--on", "2026-10-31", "--known-on", "2026-11-05", "-w", "ws")
    proof = json.loads(winay("explain", "MC-02.01@FED2026/01/2026-10", "--json", "-w", "ws")[1])
    rows = json.loads(winay(*proof["list"].split()[1:], "--json", "-w", "ws")[1])
    figure = proof["figure"]
    assert (figure["denominator"], figure["excluded"]) == (
        sum(row["verdict"] != "excluded" for row in rows),
        sum(row["verdict"] == "excluded" for row in rows),
    )
    assert proof["counts"]["met"] == figure["numerator"] == sum(row["verdict"] == "met" for row in rows)


def test_due_is_worst_first(winay):
    """The villages, and in each its households, in the order of their latest delivery."""
    rows = json.loads(winay("due", "--place", "01", "--on", "2026-10-31", "--json", "-w", "ws")[1])
    late = [(row["settlement"], -10_000 if row["days"] is None else row["days"]) for row in rows]
    worst = {village: max(days for where, days in late if where == village) for village, _ in late}
    assert len(worst) > 1
    assert list(worst.values()) == sorted(worst.values(), reverse=True)
    assert [village for village, _ in late] == [village for village in worst for where, _ in late if where == village]


def test_nobody_is_owed_anything_where_nobody_is_known(winay, tmp_path):
    fresh = ("-w", str(tmp_path / "fresh"))
    winay("init", str(tmp_path / "fresh"))
    assert winay("due", "--place", "01", "--json", *fresh)[:2] == (0, "[]\n")


def test_due_says_by_which_rules(winay):
    """Without --rules every version in force that day; with it only that one, in force or not; another is no rule version."""
    asked = ["due", "--place", "01", "--on", "2026-10-31", "--json", "-w", "ws"]
    every = json.loads(winay(*asked)[1])
    one = json.loads(winay(*asked, "--rules", "FED2024")[1])
    assert {rules for row in one for rules in row["rules"]} == {"FED2024"}
    assert "FED2024" not in {rules for row in every for rules in row["rules"]}
    status, _, err = winay(*asked, "--rules", "FED2062")
    assert (status, 'quiso decir "FED2026"' in err) == (2, True)


PARTS = {
    "products": {"code", "name", "entity", "levels", "state"},
    "results": {"code", "name", "level", "indicators", "leads_to"},
    "sheets": {"code", "year", "kind", "state"},
    "indicators": {"code", "name", "rules"},
}


def test_what_a_programme_holds(winay):
    told = json.loads(winay("programme", "show", "pe-dit", "--json")[1])
    assert [part for part, keys in PARTS.items() if not told[part] or not keys <= told[part][0].keys()] == []
    assert len(told["sheets"]) == 165


def test_what_nobody_published(winay):
    rows = json.loads(winay("programme", "check", "pe-dit", "--open", "--json")[1])
    assert {"awaiting", "proposed", "no evidence", "no source", "inferred"} <= {row["open"] for row in rows}
    assert {tuple(row) for row in rows} == {("part", "key", "open", "what", "at")}


def test_what_looks_like_a_slip(winay):
    """Remarks are told and are no failure; rules that end are told from the day after."""
    status, out, _ = winay("programme", "check", "pe-dit", "--on", "2027-01-01", "--json")
    assert status == 0
    assert any("MC-02.01@FED2026" in remark for remark in json.loads(out)["remarks"])
    out, err = winay("programme", "check", "pe-dit", "--on", "2026-12-31")[1:]
    assert "MC-02.01@FED2026" not in err and "standards/" in err and "standards/" not in out
