"""Every command teaches with an example, and every example runs."""

import shlex

import pytest
import typer

from winay.cli.app import build
from winay.cli.command import doc
from winay.core.text import language

LINKED = ["links", "join", "dni:00140132", "cnv:1002040132", "--reason", "x", "-w", "ws"]
BEFORE = {
    "links undo": [LINKED],
    "snapshots": [["evaluate", "--on", "2026-10-31", "-w", "ws"]],
    "figures": [["evaluate", "--on", "2026-10-31", "-w", "ws"]],
    "chain": [["evaluate", "--on", "2026-10-31", "-w", "ws"]],
    "cascade": [["evaluate", "--on", "2026-10-31", "-w", "ws"]],
    "refused retry": [["refused", "export", "his", "corregir.csv", "-w", "ws"]],
}
"""What must have been done before an example makes sense."""
AFTER = {
    "links join": [["links", "undo", *LINKED[2:4], "-w", "ws"]],
    "links split": [["links", "undo", "dni:00140132", "cnv:1002040140", "-w", "ws"]],
}
NOTHING = {"refused retry": "the file has a header and no records"}


def commands():
    """(words, command) of every command and group."""

    def walk(command, words):
        yield words, command
        for name, part in getattr(command, "commands", {}).items():
            yield from walk(part, [*words, name])

    return list(walk(typer.main.get_command(build()), []))


@pytest.mark.parametrize(("words", "command"), commands(), ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_help_is_whole_and_in_the_readers_language(winay, words, command):
    status, out, _ = winay(*words, "--help")
    assert status == 0
    assert "Ejemplo: winay" in out
    text, examples = doc(command)
    assert examples, f"{words} has no Example: line"
    assert language() == "es"
    english = " ".join((command.callback.__doc__ or "").split("Example:")[0].split())
    assert " ".join(text.split()) != english, f"{words} is not translated"


@pytest.mark.parametrize("example", list(dict.fromkeys(e for _, c in commands() for e in doc(c)[1] if "demo" not in e)))
def test_every_example_runs(winay, shelf, example):
    words = shlex.split(example)[1:]
    if words[0] != "init":
        words += ["-w", "ws"]
    key = " ".join(words)
    for start, lines in BEFORE.items():
        if key.startswith(start):
            for line in lines:
                winay(*line)
    status, _, err = winay(*words)
    assert status in (0, 3) or any(key.startswith(k) for k in NOTHING), err
    assert "Traceback" not in err
    for start, lines in AFTER.items():
        if key.startswith(start):
            for line in lines:
                winay(*line)
