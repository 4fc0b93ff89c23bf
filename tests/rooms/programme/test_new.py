"""A programme to begin with is whole: it passes the check, its cases hold, and a file of three rows gives its figure."""

import json

import pytest

from tests.cases import cases, differences, found
from winay.cli.app import run
from winay.core.problems import WinayError
from winay.programme.load import load
from winay.programme.new import EXAMPLE, new


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun") / "mi programa"
    new(folder)
    return folder


def test_it_takes_its_folders_name_and_is_written_once(begun, tmp_path):
    assert load(begun).name == "mi-programa"
    with pytest.raises(WinayError, match="mi programa"):
        new(begun)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WinayError):
        new(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_its_cases_hold(begun):
    judged = dict(enumerate(cases(begun / "cases")))
    told = found(load(begun), judged)
    assert len(judged) == 2
    assert [differences(case, number, told) for number, case in judged.items()] == [[], []]


def test_its_three_rows_give_its_figure(begun, tmp_path, monkeypatch, capsys):
    """Of the two of district A, one was checked by day 30; the child of B reaches 60 days in May."""
    monkeypatch.setenv("WINAY_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("WINAY_LANG", "en")
    at = ("-w", str(tmp_path / "ws"))
    assert run(["programme", "check", str(begun)]) == 0
    assert run(["init", str(tmp_path / "ws"), "--programme", str(begun)]) == 0
    assert run(["load", "registry", str(begun / EXAMPLE), "--known-on", "2026-05-31", *at]) == 0
    assert run(["evaluate", "--on", "2026-05-31", "--known-on", "2026-05-31", *at]) == 0
    capsys.readouterr()
    assert run(["figures", "CHECKED", "--by", "district", "--json", "--period", "2026-04", *at]) == 0
    assert [(r["place"], r["numerator"], r["denominator"]) for r in json.loads(capsys.readouterr().out)] == [
        ("A", 1, 2)
    ]
