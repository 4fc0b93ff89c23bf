"""The engine equals the reference on generated programmes and histories, and every construct was tried."""

from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generated.engine import Compiled, by_reference
from tests.generated.strategies import World, worlds
from winay.core.ages import days_of
from winay.engine.hands import STATUSES
from winay.engine.plan import CHAIN, EARLIEST, KIND, NONE, PLAIN
from winay.programme.indicators import Event, Window
from winay.programme.standards import Anchor, DeliveryLine, FirstRecord, Gap, NotOwed, Standard, Variant

relaxed = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
JUST_TOLD = {"name", "rules", "product", "legal", "reading", "episode", "at"}
"""Fields of the models that name, prove or choose, and change no date."""


def test_every_hand_and_status_is_the_references() -> None:
    """... on worlds that together use every construct of the language, and that reach every status."""
    seen: set[str] = set()

    @settings(relaxed, max_examples=250)
    @given(worlds())
    def compare(world: World) -> None:
        compiled = Compiled(world)
        for life, engine in zip(world.lives, compiled.told(), strict=True):
            assert engine == by_reference(world, life)
            seen.update(row.status for row in engine.values())
            seen.add(f"born on a {life.birth.day}")
        seen.update(use for standard in world.standards for use in _written(Standard, standard))
        seen.update(use for event in world.events.values() for use in _written(Event, event))
        seen.update("stable" if track.stable else "not stable" for track in compiled.plan.tracks)
        seen.update(f"kernel {kind}" for kind in compiled.plan.arrays.track[:-1, KIND])

    compare()
    assert _constructs() - seen == set()


@relaxed
@given(worlds(), st.integers(0, 250))
def test_a_stable_standard_can_be_cut_afterwards(world: World, age: int) -> None:
    """Prefix stability: cutting the records at a day equals cutting the result at it."""
    compiled = Compiled(world)
    cut = world.lives[0].birth + timedelta(days=age)
    everything, early = compiled.receive().received, compiled.receive(cut).received
    received_by_then = np.where(everything + compiled.births[:, None] <= days_of(cut), everything, NONE)
    for track in compiled.plan.tracks:
        if track.stable:
            assert (received_by_then[:, track.deliveries] == early[:, track.deliveries]).all()


def _constructs() -> set[str]:
    """Every field of the models of what is owed, every form of an age and of `since`, and what they must lead to."""
    models = (Standard, Variant, DeliveryLine, Gap, NotOwed, Anchor, FirstRecord, Event, Window)
    fields = {
        f"{m.__name__}.{f.alias or name}" for m in models for name, f in m.model_fields.items() if name not in JUST_TOLD
    }
    forms = {
        "end",
        "weeks",
        "months",
        "minus",
        "> age",
        ">= age",
        *(f"since {s}" for s in ("counted", "previous", "j", "other")),
    }
    inside = {"stable", "not stable", *(f"kernel {kind}" for kind in (PLAIN, EARLIEST, CHAIN))}
    never = {"Standard.who", "Event.subject", "Anchor.from", "Window.from"}  # asked outside the kernel, or the default
    return (fields | forms | inside | set(STATUSES) | {f"born on a {day}" for day in (29, 30, 31)}) - never


def _written(model: Any, value: dict[str, Any]) -> set[str]:
    """What a written mapping uses: fields by their model, forms of ages and of `since`."""
    seen = {f"{model.__name__}.{key}" for key in value}
    parts = {"deliveries": DeliveryLine, "gaps": Gap, "not_owed_when": NotOwed, "variants": Variant, "anchor": Anchor}
    for key, item in value.items():
        for part in item if isinstance(item, list) else [item]:
            if isinstance(part, dict):
                inner = FirstRecord if key == "first" else Window if key == "age" else parts.get(key)
                seen |= _written(inner, part) if inner else set(_forms(key, part.get("age", "")))
            else:
                seen |= _forms(key, part)
    return seen


def _forms(key: str, value: Any) -> set[str]:
    texts = value if isinstance(value, list) else [value]
    seen = {"end" for text in texts if text == "end"}
    if key == "since":
        seen.add(
            "since j" if value.isdigit() else f"since {value}" if value in ("counted", "previous") else "since other"
        )
    for text in texts:
        seen |= {
            form
            for form, mark in (("weeks", "w"), ("months", "m"), ("minus", "-"))
            if str(text).rstrip().find(mark) > 0
        }
        seen |= {f"{sign} age" for sign in (">=", ">") if str(text).split(" ")[0].rstrip("0123456789mwd") == sign}
    return seen
