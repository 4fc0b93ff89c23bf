"""Model <-> the frozen objects that the rooms below understand."""

from typing import TYPE_CHECKING

from winay.decisions.models import LinkDecision
from winay.records.link import Decision

if TYPE_CHECKING:
    from winay.workspace import Workspace


def decided(ws: "Workspace") -> list[Decision]:
    """The decisions on who is who, oldest first; an undone one held until the day it was undone."""
    from winay.decisions.setup import database

    made = LinkDecision.objects.using(database(ws))
    return [Decision(d.kind, d.a, d.b, d.at.date(), d.undone_at and d.undone_at.date()) for d in made]
