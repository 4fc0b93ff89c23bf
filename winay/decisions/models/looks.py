"""Who looked at whom, when and why: one line a look, each sealed with the hash of the one before.

The chain alone does not show that its last lines were cut off: how long it is, and its last hash, stand in a file beside.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from django.db import models, transaction

from winay.workspace import disk

FIRST = "0" * 64
HEAD = "looks.head"


class Look(models.Model):
    """One look at tables with people. Lines are only ever added; `n` counts from 1 without a hole.

    what: what was asked for (no personal value but pseudonyms); places: codes, `;` between; how_many: subjects shown.
    """

    n = models.PositiveBigIntegerField(primary_key=True)
    at = models.CharField(max_length=32)
    who = models.CharField(max_length=150)
    role = models.CharField(max_length=30)
    purpose = models.TextField()
    what = models.TextField(blank=True)
    places = models.TextField(blank=True)
    names = models.BooleanField(default=False)
    how_many = models.PositiveIntegerField()
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        app_label = "decisions"
        ordering: ClassVar = ["n"]

    def digest(self) -> str:
        """The hash that the line must have: of all it says, the hash before it included."""
        said = {field.name: getattr(self, field.name) for field in self._meta.fields if field.name != "hash"}
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Adds the line. Raises IntegrityError when there is one of this number: no line is ever written twice."""
        super().save(force_insert=True, using=kwargs.get("using"))

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("looks are never deleted")


def add(alias: str, **said: Any) -> Look:
    """One more line, sealed to the last one; writers wait for each other. `said`: the fields that say what was seen."""
    with transaction.atomic(using=alias):
        last = Look.objects.using(alias).last()
        look = Look(n=last.n + 1 if last else 1, previous=last.hash if last else FIRST, **said)
        look.at = datetime.now(UTC).isoformat(timespec="seconds")
        look.hash = look.digest()
        look.save(using=alias)
    if look.n > head(alias)[0]:
        file = Path(alias).with_name(HEAD)
        draft = file.with_name(f".{HEAD}.{look.n}.draft")
        draft.write_text(f"{look.n} {look.hash}\n", "utf-8")
        disk.sync(draft)
        draft.replace(file)
    return look


def head(alias: str) -> tuple[int, str]:
    """(how many lines there are at least, the hash of the last of them), as the file beside the database says."""
    file = Path(alias).with_name(HEAD)
    number, _, told = file.read_text("utf-8").strip().partition(" ") if file.exists() else ("0", "", FIRST)
    return int(number), told


def first_broken(alias: str) -> int | None:
    """The number of the first line that is missing or not as it was written; None when all are sound."""
    previous, n = FIRST, 0
    count, last = head(alias)
    for n, look in enumerate(Look.objects.using(alias).iterator(), start=1):
        if look.n != n or look.previous != previous or look.hash != look.digest() or (n == count and look.hash != last):
            return n
        previous = look.hash
    return n + 1 if n < count else None
