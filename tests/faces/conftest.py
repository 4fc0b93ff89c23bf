"""A folder in which every example of every help can be run: a small loaded workspace, and the files the examples name."""

import shutil
from pathlib import Path

import pytest

from winay.cli.app import run

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"
STANDARD = """
standard: penta
service: pentavalente
match: chain
deliveries:
  - { from: 55d, by: 119d }
  - { by: 147d, until: 189d, gaps: [ { since: counted, from: 28d, until: 70d } ] }
legal: { confidence: proposed }
"""


@pytest.fixture(autouse=True)
def spanish(monkeypatch):
    monkeypatch.setenv("WINAY_LANG", "es")
    monkeypatch.delenv("WINAY_DEBUG", raising=False)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """The folder; its workspace is `ws`."""
    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINAY_LANG", "es")
        patch.setenv("WINAY_KEY_FILE", str(folder / "key"))
        patch.chdir(folder)
        (folder / "key").write_text("77" * 32)  # fixed: the help names people of these files by their pseudonyms
        assert run(["init", "ws"]) == 0
        shutil.copy(SAMPLES / "padron_nominal.csv", folder / "padron.csv")
        sources = {
            "his-pacientes": "MaestroPaciente.csv",
            "padron": "padron_nominal.csv",
            "cnv": "cnv.csv",
            "dni": "dni_emision.csv",
            "encuesta": "encuesta.csv",
            "contexto": "contexto.csv",
        }
        for source, file in sources.items():
            assert run(["load", source, str(SAMPLES / file), "--known-on", "2026-11-05", "-w", "ws"]) in (0, 3)
        assert run(
            ["load", "his", *map(str, sorted(SAMPLES.glob("NOMINAL*.csv"))), "--known-on", "2026-11-05", "-w", "ws"]
        ) in (0, 3)
    shutil.copy(ROOT / "docs" / "dni-30.yaml", folder / "change.yaml")
    shutil.copytree(ROOT / "programmes" / "pe-dit", folder / "pe-dit-2027")
    rules = folder / "pe-dit-2027" / "standards" / "fed2026.yaml"
    rules.write_text(rules.read_text("utf-8").replace("from: 55d, by: 119d", "from: 55d, by: 100d"), "utf-8")
    (folder / "penta.yaml").write_text(STANDARD)
    (folder / "S.csv").write_text("subject,anchor\na,2026-01-01\nb,2026-02-01\n")
    (folder / "R.csv").write_text(
        "subject,date,code\na,2026-03-05,90722\na,2026-04-20,pentavalente\nb,2026-04-01,90723\n"
    )
    return folder


@pytest.fixture
def winay(shelf, monkeypatch, capsys):
    """`winay("figures X --json")` in the shelf: (status, stdout, stderr)."""
    monkeypatch.chdir(shelf)
    monkeypatch.setenv("WINAY_KEY_FILE", str(shelf / "key"))

    def call(*words: str):
        status = run(list(words))
        told = capsys.readouterr()
        return status, told.out, told.err

    return call
