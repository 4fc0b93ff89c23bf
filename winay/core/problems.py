"""Something wrong in what we were given: where, what was found, what was expected, what to do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from winay.core.text import say


@dataclass(frozen=True)
class At:
    """A place in what we were given: a file and, where known, its line (counted from 1) and column."""

    file: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        return self.file + (f":{self.line}" if self.line else "") + (f" [{self.column}]" if self.column else "")


@dataclass(frozen=True)
class Problem:
    """Templates and facts; the sentence is made where it is shown, in the reader's language."""

    at: At | None
    found: str
    expected: str = ""
    hint: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    def told(self) -> str:
        parts = [say(part, **self.facts) for part in (self.found, self.expected, self.hint) if part]
        return (f"{self.at}: " if self.at else "") + "\n  ".join(parts)


class WinayError(Exception):
    """One or more problems, told together. `status` is the exit status: 1 failure, 2 wrong use."""

    def __init__(self, problems: Problem | Sequence[Problem], status: int = 1) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        self.status = status
        super().__init__("\n".join(problem.told() for problem in self.problems))


def wrong_use(found: str, expected: str = "", hint: str = "", **facts: object) -> WinayError:
    """What was asked cannot be done as asked (exit status 2)."""
    return WinayError(Problem(None, found, expected, hint, facts), status=2)


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that looks most like `name`, if any does."""
    return next(iter(get_close_matches(name, list(known), n=1)), None)


def unknown_name(at: At | None, thing: str, name: str, known: Collection[str]) -> Problem:
    """A name that nothing defines, with the nearest one that exists (or the first few)."""
    close = nearest(name, known)
    some = ", ".join(sorted(known)[:12]) + (", …" if len(known) > 12 else "")
    facts = {"thing": say(thing), "name": name, "close": close, "known": some}
    hint = 'did you mean "{close}"?' if close else ""
    return Problem(at, 'no {thing} is called "{name}"', "expected one of: {known}", hint, facts)
