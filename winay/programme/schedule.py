"""The normal form: a standard as meant, every default filled, `every` expanded. Everything reads this, never the YAML."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from winay.core.ages import EPOCH, Age, MonthEnd
from winay.programme.criteria import Criterion
from winay.programme.standards import Anchor, DeliveryLine, FirstRecord, Gap, Hands, NotOwed, Standard, Variant

Limit = Age | Literal["end"] | None
"""An age, the end of the episode, or no limit."""
Since = Literal["counted", "previous"] | int | tuple[str, int]
START = Age()


@dataclass(frozen=True)
class Clock:
    """One clock with its hands filled; `due` and `by` stay None where nobody wrote them."""

    valid: Age
    from_: Age
    due: Limit
    by: Limit
    until: Limit


@dataclass(frozen=True)
class GapClock:
    """A clock that starts at another record; it binds only records whose own age lies in `ages` (None: any)."""

    since: Since
    clock: Clock
    ages: tuple[Age, Age | Literal["end"]] | None = None


@dataclass(frozen=True)
class Release:
    """From when on a delivery is not owed: an age, the n-th counted record since an age, or another standard's first."""

    age: Age | None = None
    after_age: bool = False
    received: int | None = None
    since: Age = START
    started: str | None = None


@dataclass(frozen=True)
class Delivery:
    number: int
    service: str
    age: Clock
    gaps: tuple[GapClock, ...] = ()
    releases: tuple[Release, ...] = ()


@dataclass(frozen=True)
class Route:
    """The deliveries of a variant (the only one of a plain standard), and whom it fits."""

    deliveries: tuple[Delivery, ...]
    first: FirstRecord | None = None
    who: Criterion | None = None


@dataclass(frozen=True)
class Schedule:
    """What a subject is owed under one standard; deliveries are numbered from 1 along each route."""

    name: str
    rules: str | None
    subject: str
    anchor: Literal["birth"] | Anchor
    who: Criterion | None
    routes: tuple[Route, ...]
    match: Literal["earliest", "chain"]
    in_sequence: bool
    month_end: MonthEnd
    episode: Literal["first", "last", "each"]
    services: tuple[str, ...] = field(default=())

    @property
    def in_turn(self) -> bool:
        """Whether the record counted before that of a delivery is that of the delivery before it."""
        return self.match == "chain" or self.in_sequence

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Of a standard without variants."""
        return self.routes[0].deliveries


def schedule(standard: Standard, month_end: MonthEnd = "clip") -> Schedule:
    """The standard as meant; `month_end` is the programme's, unless the standard names its own."""
    groups = standard.variants or [Variant(deliveries=standard.deliveries)]
    routes = tuple(Route(_deliveries(group, standard), group.first, group.who) for group in groups)
    services = dict.fromkeys(d.service for route in routes for d in route.deliveries)
    return Schedule(
        standard.standard, standard.rules, standard.subject, standard.anchor, standard.who, routes, standard.match,
        standard.in_sequence, standard.month_end or month_end, standard.episode, tuple(services),
    )  # fmt: skip


def _deliveries(group: Variant, standard: Standard) -> tuple[Delivery, ...]:
    made = []
    lines = [each for line in group.deliveries for each in expanded(line)]
    for number, line in enumerate(lines, start=1):
        gaps = standard.own_gaps if line.own_gaps is None else line.own_gaps
        clocks = tuple(_gap(gap, standard) for gap in gaps or [])
        releases = tuple(_release(when) for when in line.not_owed_when)
        service = line.service or standard.service or ""
        made.append(Delivery(number, service, _clock(line, standard), clocks, releases))
    return tuple(made)


def expanded(line: DeliveryLine) -> Iterator[DeliveryLine]:
    """`every: 1m, from: 1m, until: 12m` becomes eleven lines, each until the day before the next."""
    start, end = line.from_ or START, line.until
    if not line.every:
        yield line
    while line.every and isinstance(end, Age) and start.after(EPOCH) < end.after(EPOCH):
        following = start.plus(line.every)
        by = following.minus(Age(0, 1))
        yield line.model_copy(update={"from_": start, "by": by, "until": None, "every": None})
        start = following


def _clock(hands: Hands, standard: Standard) -> Clock:
    start = hands.from_ or START
    valid = start.minus(standard.grace) if hands.valid is None else hands.valid
    until = hands.by if hands.until is None and not standard.catch_up else hands.until
    return Clock(valid, start, hands.due, hands.by, until)


def _gap(gap: Gap, standard: Standard) -> GapClock:
    since: Since
    if gap.since in ("counted", "previous"):
        since = gap.since  # type: ignore[assignment]
    elif gap.since.isdigit():
        since = int(gap.since)
    else:
        name, number = gap.since.rsplit("/", 1)
        since = (name, int(number))
    return GapClock(since, _clock(gap, standard), gap.binds.age if gap.binds else None)


def _release(when: NotOwed) -> Release:
    if when.age:
        strict = not when.age.startswith(">=")
        return Release(age=Age.parse(when.age.lstrip(">= ")), after_age=strict)
    return Release(received=when.received, since=when.since or START, started=when.started)
