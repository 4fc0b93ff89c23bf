"""The rules of the house that no other checker keeps."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.house.templates import ROOT, templates

FILES = [file for file in sorted((ROOT / "winay").rglob("*.py")) if "migrations" not in file.parts]
SPANISH = dict(yaml.safe_load((ROOT / "winay/locale/es.yaml").read_text("utf-8")))
COUNTRY = re.compile(r"ubigeo|minsa|midis|siaf|\bpim\b|\bpia\b|\bcred\b|\bdni\b|\bperu\b|\bperú\b", re.IGNORECASE)
CLOSED = ("identity", "delivered", "unseal")
EXAMPLE = re.compile(r"Example: .*")


def lines(file: Path) -> list[tuple[str, str]]:
    """(place, line) of a file, the examples of the help left out: they name what the shipped programme has."""
    text = EXAMPLE.sub("", file.read_text("utf-8"))
    return [(f"{file.relative_to(ROOT)}:{n}", line) for n, line in enumerate(text.splitlines(), start=1)]


def test_no_country_in_python():
    assert [at for file in FILES for at, line in lines(file) if COUNTRY.search(line)] == []


@pytest.mark.parametrize("banned", ["raise NotImplementedError", "TODO", "except Exception", "except:"])
def test_nothing_is_left_for_later(banned):
    assert [at for file in FILES for at, line in lines(file) if re.search(rf"\b{banned}", line)] == []


def test_a_file_starts_with_its_sentence():
    assert [str(file) for file in FILES if not ast.get_docstring(ast.parse(file.read_text("utf-8")))] == []


def test_lock_files_name_no_address():
    """Whoever installs decides where from."""
    locked = sorted((ROOT / "requirements").glob("*.txt"))
    assert locked
    assert [file.name for file in locked if "://" in file.read_text("utf-8")] == []


def test_people_are_seen_through_the_gate_alone():
    """Outside `records` and the gate, nobody computes what is known, opens the vault's identities or a delivered line."""
    doors = {"winay.records.as_of": {"Known"}, "winay.records.witness": {"Line"}}
    found = []
    for file in FILES:
        if file.parts[-2] in ("records", "workspace") or file.name == "gate.py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in doors:
                found += [f"{file.name}: {a.name}" for a in node.names if a.name not in doors[node.module]]
            if isinstance(node, ast.ImportFrom) and node.module == "winay.records":
                found += [f"{file.name}: {a.name}" for a in node.names if a.name in ("as_of", "witness")]
            if isinstance(node, ast.Attribute) and getattr(node.value, "attr", "") == "vault" and node.attr in CLOSED:
                found.append(f"{file.name}: vault.{node.attr}")
    assert found == []


def test_everything_said_has_its_spanish():
    """Nothing is half translated."""
    assert {text: at for text, at in templates().items() if text not in SPANISH} == {}


def test_every_code_that_is_shown_has_its_spanish():
    """Statuses, verdicts and states are words that people read."""
    from winay.engine.hands import STATUSES
    from winay.programme.yaml_text import EXPECTED

    codes = {*STATUSES, "met", "missing", "excluded", "outside", "good", "care", "bad", "official", "provisional"}
    assert {*codes, *EXPECTED.values()} - SPANISH.keys() == set()


def test_every_kind_of_thing_that_is_named_has_its_spanish():
    """What `no {thing} is called …` can speak of."""
    import winay.programme.load  # noqa: F401
    from winay.programme.yaml_text import Names, Written

    models = [Written]
    for model in models:
        models += model.__subclasses__()
    metadata = [part for model in models for field in model.model_fields.values() for part in field.metadata]
    said_of_others = {"since", "place rule"}
    assert {part.thing for part in metadata if isinstance(part, Names)} - said_of_others - SPANISH.keys() == set()


def test_a_sentence_keeps_its_facts_when_translated():
    """The same names between braces on both sides."""
    facts = re.compile(r"{(\w+)[^}]*}")
    assert {en: es for en, es in SPANISH.items() if set(facts.findall(en)) != set(facts.findall(es))} == {}


def test_the_notebook_is_light():
    """`import winay` brings neither Django nor a server nor Spark."""
    code = "import sys, winay; print([m for m in ('django', 'pyspark', 'numba', 'typer') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
