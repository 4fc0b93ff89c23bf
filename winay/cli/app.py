"""The command line as a whole: its commands, its exit statuses, and what is said when something is wrong."""

import json
import os
import sys
import traceback
from importlib import import_module
from types import TracebackType
from typing import Any

import typer
from typer._click import exceptions as click

from winay.cli.command import asked, take_everywhere, verbs
from winay.cli.show import silence
from winay.core.problems import At, Problem, WinayError, unknown_name

FILES = ("deliveries", "links", "answers", "chain", "programme", "demo")
"""The files of commands, in the order of the help; each has `register(app)`."""
INTERRUPTED = 130


def winay() -> None:
    """From ministry files to what every child was owed and received, with the proof.

    Exit statuses: 0 all well, 1 failure, 2 wrong use, 3 some records refused.
    WINAY_LANG=en speaks English.

    Example: winay sources
    """


def build() -> typer.Typer:
    """The whole command line; what a command needs is imported when it runs."""
    app = verbs(winay)
    for name in FILES:
        import_module(f"winay.cli.{name}").register(app)
    return app


def run(words: list[str]) -> int:
    """Do what the words say; returns the exit status. Nothing of Python is ever shown."""
    sys.excepthook = _unexpected
    try:
        words = take_everywhere(words)
        status = typer.main.get_command(build())(words or ["--help"], prog_name="winay", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.UsageError as error:
        return _fail([_usage(error)], 2)
    except WinayError as error:
        return _fail(error.problems, error.status)
    except (KeyboardInterrupt, typer.Abort):
        return _fail([Problem(None, "interrupted; what was done before stays done")], INTERRUPTED)
    except MemoryError:
        hint = "close other programs, or ask for less"
        return _fail([Problem(None, "there is not enough memory for this", hint=hint)], 1)
    except OSError as error:
        file = At(str(error.filename)) if error.filename else None
        return _fail([Problem(file, "{what}", facts={"what": error.strerror or error})], 1)


def _usage(error: click.UsageError) -> Problem:
    """A slip on the line, in the reader's language."""
    command: Any = error.ctx.command if error.ctx else None
    param: Any = getattr(error, "param", None)
    facts: dict[str, Any] = {"help": f"{error.ctx.command_path if error.ctx else 'winay'} --help"}
    if isinstance(error, click.NoSuchOption):
        known = [name for param in command.get_params(error.ctx) for name in param.opts]
        return unknown_name(None, "option", error.option_name, [*known, "--json", "-w"])
    if error.message.startswith("No such command"):
        return unknown_name(None, "command", error.message.split("'")[1], list(command.commands))
    if isinstance(error, click.MissingParameter) and param:
        return Problem(None, "{name} is missing", "", "see: {help}", facts | {"name": param.metavar or param.opts[-1]})
    told = f"{param.opts[-1]}: {error.message}" if param else error.message
    return Problem(None, "{what}", "", "see: {help}", facts | {"what": told})


def _fail(problems: list[Problem], status: int) -> int:
    told = [problem.told() for problem in problems]
    try:
        if asked.json:
            print(json.dumps({"error": told}, ensure_ascii=False), flush=True)
        print("\n".join(told), file=sys.stderr, flush=True)
    except BrokenPipeError:
        silence()
    return status


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A mistake of ours. What it says could hold a name, so nothing is kept of it; who mends it sets WINAY_DEBUG."""
    if os.environ.get("WINAY_DEBUG"):
        traceback.print_exception(kind, error, trace)
    hint = "nothing half done is kept. Run winay doctor, and report this; WINAY_DEBUG=1 shows where it happened"
    _fail([Problem(None, "winay made a mistake of its own ({kind})", "", hint, {"kind": kind.__name__})], 1)
