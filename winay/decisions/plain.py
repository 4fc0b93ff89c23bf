"""Model <-> the frozen objects that the rooms below understand."""

from typing import TYPE_CHECKING

from winay.decisions.models import LinkDecision
from winay.records.link import Decision

if TYPE_CHECKING:
    from winay.workspace import Workspace


def decided(ws: "Workspace") -> list[Decision]:
    """The decisions on who is who that hold, oldest first."""
    from winay.decisions.setup import database

    held = LinkDecision.objects.using(database(ws)).filter(undone_at=None)
    return [Decision(link.kind, link.a, link.b) for link in held]
