"""Who may see and do what: the only door to tables with people. Every look writes one line of who, when, why, how many."""

import getpass
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from winay.actions.opening import promised
from winay.core.problems import wrong_use
from winay.decisions import database
from winay.decisions.models import decided, looks
from winay.programme.load import Programme
from winay.records import as_of, witness
from winay.records.link import Decision
from winay.workspace import Workspace
from winay.workspace.vault import parse

KEEPER, ANALYST = "keeper", "analyst"
SEES_NAMES = {KEEPER}
"""The roles that may see names and documents; all others see pseudonyms."""


@dataclass(frozen=True)
class Caller:
    """Whoever asks. places: the codes it answers for; none named: all."""

    name: str
    role: str
    places: tuple[str, ...] = ()


def operator(ws: Workspace) -> Caller:
    """The person at the shell: whoever can read the workspace's key can see names anyway, and is its keeper."""
    return Caller(getpass.getuser(), KEEPER if os.access(ws.key_file, os.R_OK) else ANALYST)


@dataclass
class People:
    """What one caller may see of a workspace for one purpose; `how_many` subjects were shown so far."""

    ws: Workspace
    identities_open: bool = False
    how_many: int = 0
    decided: Sequence[Decision] = ()

    def known(self, day: date, programme: Programme | None = None) -> as_of.Known:
        """The canonical tables as known on a day, people's decisions on who is who included.

        programme: whose matchers say what records prove; without one, the workspace's.
        """
        return as_of.known_by(self.ws, programme or promised(self.ws), day, self.decided)

    def lines(self, persons: Collection[int], day: date) -> list[witness.Line]:
        """The records of a person's identifiers as known on a day, down to the delivered line."""
        return witness.lines(self.ws, promised(self.ws), persons, day)

    def registry(self, persons: Collection[int], day: date) -> list[dict[str, Any]]:
        """The registry rows that say who a person is."""
        return witness.registry(self.ws, persons, day)

    def shown(self, how_many: int) -> None:
        """So many more subjects leave with a line of their own (pseudonym, verdict, services)."""
        self.how_many += how_many

    def identities(self, persons: Collection[int]) -> Mapping[int, Mapping[str, str]]:
        """Names and documents of pseudonyms, from the vault. Raises WinayError where they were not asked for."""
        self._names_asked_for()
        return self.ws.vault.identities(persons)

    def raw(self, load: int, line: int) -> bytes:
        """A delivered line as it came, names and all. Raises WinayError where names were not asked for."""
        self._names_asked_for()
        return witness.raw(self.ws, load, line)

    def _names_asked_for(self) -> None:
        if not self.identities_open:
            hint = "ask with --identities: the look is written down"
            raise wrong_use("names and documents were not asked for", hint=hint)


@contextmanager
def tables(
    ws: Workspace, caller: Caller, purpose: str, *, what: str = "", places: Sequence[str] = (), identities: bool = False
) -> Iterator[People]:
    """The tables with people, for a purpose; the look is written when the block is left, before anything is shown.

    what: what is asked, in codes and pseudonyms only. Raises WinayError (wrong use) without a purpose, for a place the
    caller does not answer for, and for names the caller's role may not see.
    """
    _allowed(caller, purpose, places, identities)
    people = People(ws, identities, decided=decided(ws))
    try:
        yield people
    finally:
        said = {"who": caller.name, "role": caller.role, "purpose": purpose, "what": what, "places": ";".join(places)}
        looks.add(database(ws), names=identities, how_many=people.how_many, **said)


def _allowed(caller: Caller, purpose: str, places: Sequence[str], identities: bool) -> None:
    if not purpose.strip():
        raise wrong_use("nobody looks at people without a purpose", hint="say why")
    outside = [place for place in places if caller.places and place not in caller.places]
    if outside or (caller.places and not places):
        facts = {"name": caller.name, "places": ", ".join(outside) or "…"}
        raise wrong_use("{name} does not answer for {places}", hint="ask for a place of your own", **facts)
    if identities and caller.role not in SEES_NAMES:
        hint = "whoever has the workspace's key may; without --identities the list has pseudonyms"
        raise wrong_use("the role {role} does not see names", hint=hint, role=caller.role)


def person(ws: Workspace, text: str) -> int:
    """The pseudonym somebody typed: its 13 characters, or a document as KIND:VALUE (which needs the vault's key)."""
    kind, _, value = text.partition(":")
    return int(ws.vault.pseudonyms(kind, [value])[0]) if value else parse(text)
