"""What scripts rely on: exit statuses, JSON also on failure, results on stdout and the rest on stderr."""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        (["foo"], 2, 'no hay orden con el nombre "foo"'),
        (["figure", "X"], 2, '¿quiso decir "figures"?'),
        (["load"], 2, "falta SOURCE"),
        (["load", "padrom", "padron.csv", "-w", "ws"], 2, '¿quiso decir "padron"?'),
        (["sources", "--on", "2026-02-30", "-w", "ws"], 2, '"2026-02-30" no es un día'),
        (["sources", "--whom"], 2, 'no hay opción con el nombre "--whom"'),
        (["sources", "-w", "nowhere"], 2, "winay init"),
        (["sources", "-w"], 2, "-w necesita la carpeta"),
        (["snapshots", "official", "latest", "--period", "2026-13", "-w", "ws"], 2, "no es un mes"),
        (["links", "join", "dni:1", "dni:1", "--reason", "x", "-w", "ws"], 2, "la misma persona"),
        (["links", "undo", "dni:1", "dni:2", "-w", "ws"], 2, "nadie decidió"),
        (["programme", "show", "pe-dit", "pentaa-fed2024"], 2, '¿quiso decir "penta-fed2024"?'),
    ],
)
def test_a_wrong_line_says_what_to_write(winay, line, status, told):
    """The exit status is 2, the sentence is on stderr, stdout is empty, and with --json it is JSON."""
    found, out, err = winay(*line)
    assert (found, out) == (status, "")
    assert told in err
    found, out, _ = winay(*line, "--json") if line[-1] != "-w" else winay("--json", *line)
    assert found == status
    assert told in "\n".join(json.loads(out)["error"])


def test_a_refused_record_gives_3_and_can_be_corrected(winay, shelf):
    """Good rows load; the bad one waits, is exported, corrected and loaded; then nothing is refused."""
    rows = (shelf / "padron.csv").read_text("utf-8-sig").splitlines()
    cells = rows[1].split(",")
    column = rows[0].split(",").index("FE_NAC_MENOR") if "FE_NAC_MENOR" in rows[0] else None
    if column is None:
        pytest.fail(f"the sample's header changed: {rows[0]}")
    (shelf / "otro.csv").write_text(
        "\n".join([rows[0], ",".join([*cells[:column], "31/02/2026", *cells[column + 1 :]])])
    )
    status, out, _ = winay("load", "padron", "otro.csv", "--known-on", "2026-11-06", "--yes", "-w", "ws", "--json")
    told = json.loads(out)["files"][0]
    assert (status, told["records"], told["accepted"], told["refused"], told["duplicate"]) == (3, 1, 0, 1, 0)
    status, out, _ = winay("refused", "list", "-w", "ws", "--json")
    (row,) = json.loads(out)
    assert (row["file"], row["line"], row["column"], "found" in row) == ("otro.csv", 2, "FE_NAC_MENOR", False)
    assert json.loads(winay("refused", "list", "--identities", "-w", "ws", "--json")[1])[0]["found"] == "31/02/2026"
    assert winay("refused", "export", "padron", "corregir.csv", "-w", "ws")[0] == 0
    text = (shelf / "corregir.csv").read_text("utf-8-sig").replace("31/02/2026", cells[column], 1)
    (shelf / "corregir.csv").write_text(text)
    assert winay("refused", "retry", "padron", "corregir.csv", "--known-on", "2026-11-07", "-w", "ws")[0] == 0
    assert json.loads(winay("refused", "list", "-w", "ws", "--json")[1]) == []


def test_doctor_finds_a_changed_look(winay, shelf):
    """One byte of the log of looks is changed: doctor says so, and its status is 1."""
    import sqlite3

    winay("refused", "list", "--identities", "-w", "ws")
    assert all(row["state"] != "bad" for row in json.loads(winay("doctor", "-w", "ws", "--json")[1]))
    with sqlite3.connect(shelf / "ws" / "decisions.sqlite") as db:
        db.execute("update decisions_look set who = who || 'x' where n = 1")
    db.close()
    status, out, _ = winay("doctor", "-w", "ws", "--json")
    assert (status, [row["found"] for row in json.loads(out) if row["state"] == "bad"]) == (1, ["línea 1"])
    with sqlite3.connect(shelf / "ws" / "decisions.sqlite") as db:
        db.execute("update decisions_look set who = substr(who, 1, length(who) - 1) where n = 1")
    db.close()


def test_help_is_light():
    """`winay --help` brings neither data libraries nor Django nor the programme's models."""
    heavy = ["pandas", "ibis", "pyarrow", "numba", "numpy", "duckdb", "deltalake", "django", "pydantic", "rich"]
    code = (
        f"import sys; from winay.cli.app import run; run(['--help']); print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_closed_pipe_is_no_complaint():
    """Whoever reads only the first line is not told of a broken pipe."""
    line = f"{sys.executable} -c 'from winay.cli import main; main()' programme show pe-dit | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env={**os.environ, "WINAY_LANG": "en"})
    assert (done.stderr, done.stdout.split()[:2]) == ("", ["kind", "key"])


def test_a_mistake_of_ours_is_no_traceback(tmp_path):
    """What nobody foresaw ends in two sentences and status 1."""
    code = "import sys, winay.cli.app as a; a.build = lambda: 1 / 0; sys.exit(a.run(['sources']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "WINAY_LANG": "en", "WINAY_DEBUG": ""},
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "winay made a mistake of its own (ZeroDivisionError)" in done.stderr
