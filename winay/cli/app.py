"""The command line as a whole: its commands, its exit statuses, and what is said when something is wrong."""

import json
import os
import sys
import traceback
from importlib import import_module, util
from types import TracebackType
from typing import Any

import typer
from typer._click import exceptions as click

from winay.cli.command import Verbs, asked, take_everywhere, verbs
from winay.core.problems import At, Problem, WinayError, unknown_name
from winay.core.text import say

FILES = ("setting_up", "deliveries", "links", "answers", "snapshots", "programme")
"""The files of commands, in the order of the help; each has `register(app)`."""
INTERRUPTED = 130


def build() -> typer.Typer:
    """The whole command line; what a command needs is imported when it runs."""
    app = verbs()
    app.callback(cls=Verbs)(winay)
    for name in FILES:
        if util.find_spec(f"winay.cli.{name}"):
            import_module(f"winay.cli.{name}").register(app)
    return app


def winay() -> None:
    """From ministry files to what every child was owed and received, with the proof.

    Exit statuses: 0 all well, 1 failure, 2 wrong use, 3 some records refused.
    WINAY_LANG=en speaks English; NO_COLOR turns colours off.

    Example: winay sources
    """


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
    except BrokenPipeError:
        _silence()
        return 0
    except MemoryError:
        return _fail(
            [Problem(None, "there is not enough memory for this", hint="close other programs, or ask for less")], 1
        )
    except OSError as error:
        file = At(str(error.filename)) if error.filename else None
        return _fail([Problem(file, "{what}", facts={"what": error.strerror or error})], 1)


def _usage(error: click.UsageError) -> Problem:
    """A slip on the line, in the reader's language."""
    path = error.ctx.command_path if error.ctx else "winay"
    facts: dict[str, Any] = {"help": f"{path} --help"}
    hint = "see: {help}"
    if isinstance(error, click.MissingParameter) and error.param:
        return Problem(None, "{name} is missing", "", hint, facts | {"name": error.param.display_name_raw})
    if isinstance(error, click.NoSuchOption):
        known = [name for p in error.ctx.command.get_params(error.ctx) for name in p.opts] if error.ctx else []
        return unknown_name(None, "option", error.option_name, [*known, "--json", "-w"])
    if isinstance(error.ctx and error.ctx.command, Verbs) and "No such command" in error.message:
        return unknown_name(None, "command", error.message.split("'")[1], list(error.ctx.command.commands))  # type: ignore[union-attr]
    if isinstance(error, click.BadParameter) and error.param:
        name = error.param.display_name_raw if hasattr(error.param, "display_name_raw") else error.param.opts[-1]
        return Problem(None, "{name}: {why}", "", hint, facts | {"name": name, "why": say(error.message)})
    return Problem(None, "{what}", "", hint, facts | {"what": say(error.message.replace("{", "(").replace("}", ")"))})


def _fail(problems: list[Problem], status: int) -> int:
    told = [problem.told() for problem in problems]
    try:
        if asked.json:
            print(json.dumps({"error": told}, ensure_ascii=False), flush=True)
        print("\n".join(told), file=sys.stderr, flush=True)
    except BrokenPipeError:
        _silence()
    return status


def _silence() -> None:
    """Whoever read our output has gone: say no more, without a complaint at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A mistake of ours. What it says could hold a name, so nothing is kept of it; who mends it sets WINAY_DEBUG."""
    if os.environ.get("WINAY_DEBUG"):
        traceback.print_exception(kind, error, trace)
    hint = "nothing half done is kept. Run winay doctor, and report this; WINAY_DEBUG=1 shows where it happened"
    _fail([Problem(None, "winay made a mistake of its own ({kind})", "", hint, {"kind": kind.__name__})], 1)
