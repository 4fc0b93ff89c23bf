"""One file a subject."""

from winay.decisions.models.links import LinkDecision, decided
from winay.decisions.models.looks import Look

__all__ = ["LinkDecision", "Look", "decided"]
