"""Who is the same person, where documents do not say so: what somebody decided, and whether it still holds."""

from typing import ClassVar

from django.db import models


class LinkDecision(models.Model):
    """Two persons (pseudonyms) are one (`join`) or are not (`split`). Undone decisions stay, dated."""

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
            models.CheckConstraint(condition=models.Q(a__lt=models.F("b")), name="link_in_order"),
            models.UniqueConstraint(fields=["a", "b"], condition=models.Q(undone_at=None), name="link_decided_once"),
        ]
