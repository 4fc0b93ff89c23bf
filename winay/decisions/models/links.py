"""Who is the same person, where documents do not say so: what somebody decided, and whether it still holds."""

from typing import ClassVar

from django.db import models

from winay.decisions import database
from winay.records.link import Decision
from winay.workspace import Workspace


class LinkDecision(models.Model):
    """Two persons (pseudonyms) are one (`join`), or are two and what only `b` names goes with it (`split`).

    A decision that was undone stays, dated; two persons have one decision at a time.
    """

    JOIN, SPLIT = "join", "split"
    kind = models.CharField(max_length=5, choices=[(JOIN, JOIN), (SPLIT, SPLIT)])
    a = models.BigIntegerField()
    b = models.BigIntegerField()
    reason = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    undone_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "decisions"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["a", "b"], condition=models.Q(undone_at=None), name="link_decided_once"),
        ]


def decided(ws: Workspace) -> list[Decision]:
    """The decisions on who is who, oldest first; an undone one held until the day it was undone."""
    made = LinkDecision.objects.using(database(ws))
    return [Decision(d.kind, d.a, d.b, d.at.date(), d.undone_at and d.undone_at.date()) for d in made]
