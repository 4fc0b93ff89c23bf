"""A command: its help is its docstring in the reader's language; `-w` and `--json` may stand anywhere on the line."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from winay.core.problems import wrong_use
from winay.core.text import say

if TYPE_CHECKING:
    from winay.actions.gate import Caller
    from winay.workspace import Workspace

Command = Callable[..., int | None]
EVERYWHERE = {
    "-w, --workspace DIR": "the workspace (else the one around the current folder)",
    "--json": "answer in JSON, also when it fails",
    "--help": "this help",
}


@dataclass
class Asked:
    """What holds for the whole line, whichever the command."""

    workspace: Path | None = None
    json: bool = False


asked = Asked()


def take_everywhere(words: list[str]) -> list[str]:
    """The words without `-w DIR` and `--json`, which are remembered in `asked`."""
    asked.workspace, asked.json = None, "--json" in words
    left, rest = [], iter(words)
    for word in rest:
        name, _, value = word.partition("=")
        if name in ("-w", "--workspace"):
            value = value or next(rest, "")
            if not value:
                raise wrong_use("-w needs the folder of a workspace", hint="for example: winay -w DIR figures")
            asked.workspace = Path(value)
        elif word != "--json":
            left.append(word)
    return left


def workspace() -> "Workspace":
    """The workspace that was asked for, its canonical tables declared."""
    from winay.actions.opening import opened

    return opened(asked.workspace)


def here() -> "tuple[Workspace, Caller, date]":
    """The workspace that was asked for, who sits at the shell, and today there."""
    from winay.actions.gate import operator

    ws = workspace()
    return ws, operator(ws), today(ws)


def today(ws: "Workspace | None" = None) -> date:
    """Today where the workspace is. Only the faces read the clock."""
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(ws.time_zone) if ws else None).date()


def day(text: str) -> date:
    """A day as typed. Raises WinayError (wrong use) for anything but YYYY-MM-DD."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise wrong_use('"{text}" is not a day', "expected a day such as 2026-05-31", text=text)


def doc(command: Any) -> tuple[str, list[str]]:
    """(what a command does, in the reader's language; its examples) from its docstring."""
    text, *examples = re.split(r"\n\s*Example: *", command.callback.__doc__)
    told = [say(" ".join(part.split())) for part in text.split("\n\n") if part.strip()]
    return "\n\n".join(told), [" ".join(example.split()) for example in examples]


class _Help:
    """Help in the reader's language: what it does, an example, what can be written. Plain text, quick to make."""

    def format_help(self: Any, ctx: Any, formatter: Any) -> None:
        text, examples = doc(self)
        params = {_written(param): param for param in self.get_params(ctx) if param.name != "help"}
        commands = getattr(self, "commands", {})
        needed = [name for name, param in params.items() if param.param_type_name == "argument"]
        usage = " ".join([say("COMMAND") + " …"] if commands else [*needed, say("[options]")])
        formatter.write(f"{say('Usage: ')}{ctx.command_path} {usage}\n\n{text}\n")
        formatter.write("".join(f"\n{say('Example')}: {example}\n" for example in examples))
        sections = {
            "Commands": [(name, re.split(r"(?<=[.?])\s", doc(one)[0])[0]) for name, one in commands.items()],
            "What to write": [(name, say(param.help or "")) for name, param in params.items()],
            "Everywhere": [(name, say(meaning)) for name, meaning in EVERYWHERE.items()],
        }
        for title, lines in sections.items():
            if lines:
                with formatter.section(say(title)):
                    formatter.write_dl(lines)


def _written(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar) + ("…" if param.nargs != 1 else "")
    return ", ".join(param.opts) + ("" if param.is_flag else f" {param.metavar}")


class _Verb(_Help, TyperCommand):
    """One command."""


class _Verbs(_Help, TyperGroup):
    """Commands under one word."""


def verbs(intro: Command, **commands: Command) -> typer.Typer:
    """Commands under one word, which the docstring of `intro` explains."""
    app = typer.Typer(name=intro.__name__, rich_markup_mode=None)
    app.callback(cls=_Verbs)(intro)
    for name, command in commands.items():
        verb(app, name)(command)
    return app


def verb(app: typer.Typer, name: str | None = None) -> Callable[[Command], Command]:
    """Register a command; its docstring is an English text, and an example. It may return its exit status."""
    return app.command(name, cls=_Verb)


def group(app: typer.Typer, intro: Command, commands: dict[str, Command]) -> None:
    """Register commands under one word."""
    app.add_typer(verbs(intro, **commands))


def opt(help: str, name: str, metavar: str | None = None, **how: Any) -> Any:
    """An option, its help an English template; without `metavar` a flag."""
    return typer.Option(name, help=help, metavar=metavar, **how)


def arg(help: str, metavar: str) -> Any:
    """An argument, its help an English template."""
    return typer.Argument(help=help, metavar=metavar)


DayOpt = Annotated[date | None, opt("the day to judge on (today)", "--on", "DAY", parser=day)]
KnownOpt = Annotated[date | None, opt("what was known on that day (today)", "--known-on", "DAY", parser=day)]
