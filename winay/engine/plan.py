"""What is owed, as run: the normal form compiled to flat arrays that the kernel reads (design 6).

Calendar arithmetic happens here, once a calendar day: `hands[day - first_day, c]` are the hands of the c-th distinct
clock of the programme when it starts on that day. A range of ages is a clock too. All else are numbers of rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from winay.core.ages import Age, MonthEnd, after
from winay.programme.indicators import Event
from winay.programme.schedule import START as AT_START
from winay.programme.schedule import Clock, Delivery, GapClock, Limit, Route, Schedule
from winay.programme.standards import Anchor
from winay.programme.written_age import END

NO_LIMIT = 32767
"""In the table of hands: nobody wrote this one, or it has no limit."""
AT_END = 32766
"""In the table of hands: the day the episode ends, whatever the origin."""
NONE = -32768
"""In `received` and `released`: never. All other values are days from the unit's birth."""
NO_DAY = np.int32(-(2**31))
"""In anchors: the unit has none."""
FARTHEST = 32000
"""Days a plan can span and a hand can reach: a lifetime, and what fits into an int16."""
VALID, FROM, DUE, BY, UNTIL = range(5)
HANDS = ("valid", "from_", "due", "by", "until")
START, KIND, IN_SEQUENCE, ANCHOR, ANCHOR_NUMBER, FIRST_TRACK, ROUTES, FITS, FITS_WHAT = range(9)
"""Columns of `track`: first delivery; PLAIN, EARLIEST or CHAIN; the delivery it starts at (track -1: given); the first
track of its standard and how many routes that has (0: one for everybody); whom the route fits, and of what age (a clock)
or with which service at the first record."""
PLAIN, EARLIEST, CHAIN = range(3)
ANYBODY, FIRST_AGE, FIRST_SERVICE = range(3)
SERVICE, AGE_CLOCK, GAPS, RELEASES, RELEASED_IN, ONLY_GAP = range(6)
"""Columns of `delivery`: service (-1: nothing proves it), clock, first gap and release, column of `released` (-1: none),
clock of its first gap (-1: none)."""
SINCE, SINCE_TRACK, SINCE_NUMBER, GAP_CLOCK, AGES = range(5)
"""Columns of `gap`: COUNTED, PREVIOUS, or OWN, OTHER with track and number; clock; ages it binds, as a clock (-1: all)."""
COUNTED, PREVIOUS, OWN, OTHER = range(4)
BY_AGE, BY_RECEIVED, BY_STARTED = range(3)


class Arrays(NamedTuple):
    """The plan as the kernel sees it. Row i of `track` and `delivery` owns what lies between its borders and those of i + 1."""

    first_day: int
    services: int
    hands: NDArray[np.int16]
    """[day - first_day, clock, hand]: days from that day to each hand of a clock that starts on it; NO_LIMIT, AT_END."""
    track: NDArray[np.int32]
    delivery: NDArray[np.int32]
    gap: NDArray[np.int32]
    release: NDArray[np.int32]
    """[release, 3]: BY_AGE, clock; BY_RECEIVED, n, since which age (a clock); BY_STARTED, track."""


@dataclass(frozen=True)
class Track:
    """One route of one standard: what the kernel evaluates as a whole. A standard without variants has one."""

    number: int
    schedule: Schedule
    route_number: int
    deliveries: slice
    stable: bool
    """Cutting the records at a day equals cutting `received` at it. If not: evaluate with `cut`, once a judging day."""

    @property
    def name(self) -> str:
        return self.schedule.name

    @property
    def route(self) -> Route:
        return self.schedule.routes[self.route_number]


@dataclass(frozen=True)
class Plan:
    """What a programme owes between two days."""

    tracks: tuple[Track, ...]
    first_day: int
    last_day: int
    arrays: Arrays

    @cached_property
    def standards(self) -> dict[str, tuple[Track, ...]]:
        """The tracks of each standard, one a route, in the order written."""
        names = dict.fromkeys(track.name for track in self.tracks)
        return {name: tuple(track for track in self.tracks if track.name == name) for name in names}

    @property
    def deliveries(self) -> int:
        return len(self.arrays.delivery) - 1

    @property
    def released_in(self) -> NDArray[np.int32]:
        """[delivery]: its column of `released`, -1 when it is always owed."""
        return self.arrays.delivery[:-1, RELEASED_IN]

    @cached_property
    def by(self) -> NDArray[np.int16]:
        """int16 [anchor day - first_day, delivery]: `by` of its age clock, in days from the anchor; NO_LIMIT, AT_END."""
        return self.arrays.hands[:, self.arrays.delivery[:-1, AGE_CLOCK], BY]

    @cached_property
    def by_from_gap(self) -> NDArray[np.bool_]:
        """[delivery]: its age clock writes no `by`, but a gap does: `hands` tells the day, unit by unit."""
        written = [d.age.by is None and any(g.clock.by is not None for g in d.gaps) for d in self.in_order]
        return np.array(written, bool)

    @cached_property
    def in_order(self) -> tuple[Delivery, ...]:
        """The deliveries as the columns of `received` have them."""
        return tuple(delivery for track in self.tracks for delivery in track.route.deliveries)


def event_schedule(name: str, event: Event, month_end: MonthEnd = "clip") -> Schedule:
    """An event as a standard of one delivery that nobody owes, called `event:NAME`."""
    start = event.window.from_ or AT_START
    since = (GapClock((f"event:{event.since}", 1), Clock(AT_START, AT_START, None, None, None)),) if event.since else ()
    delivery = Delivery(1, event.service, Clock(start, start, None, None, event.window.until), since)
    return Schedule(
        f"event:{name}", None, event.subject, "birth", None, (Route((delivery,)),), "earliest", False, month_end,
        "each", (event.service,),
    )  # fmt: skip


def starts_at(anchor: str | Anchor) -> tuple[str, int] | None:
    """The delivery whose receipt is the anchor; None: the unit itself gives the day."""
    if isinstance(anchor, str) or anchor.back:
        return None
    name, number = (anchor.delivery or f"event:{anchor.event}/1").rsplit("/", 1)
    return name, int(number)


def refers_to(schedule: Schedule) -> Iterator[str]:
    """The schedules that must be evaluated before this one."""
    if start := starts_at(schedule.anchor):
        yield start[0]
    for delivery in (d for route in schedule.routes for d in route.deliveries):
        yield from (gap.since[0] for gap in delivery.gaps if isinstance(gap.since, tuple))
        yield from (release.started for release in delivery.releases if release.started)


def one_route(schedule: Schedule) -> bool:
    """Whether everybody has the same deliveries, always."""
    return len(schedule.routes) == 1 and schedule.routes[0].first is None and schedule.routes[0].who is None


def ordered(schedules: Sequence[Schedule]) -> list[Schedule]:
    """Each schedule after those it refers to. Circles are the programme check's to refuse."""
    by_name = {schedule.name: schedule for schedule in schedules}
    result: dict[str, Schedule] = {}

    def visit(schedule: Schedule) -> None:
        if schedule.name not in result:
            for name in refers_to(schedule):
                visit(by_name[name])
            result[schedule.name] = schedule

    for schedule in schedules:
        visit(schedule)
    return list(result.values())


def compile(schedules: Sequence[Schedule], service_numbers: Mapping[str, int], first_day: int, last_day: int) -> Plan:
    """The plan for births, anchors and records from `first_day` to `last_day` (days since 1970-01-01, closed).

    Raises ValueError when that is more than FARTHEST days.
    """
    from winay.engine.stable import prefix_stable

    if not 0 <= last_day - first_day <= FARTHEST:
        raise ValueError(f"a plan spans at most {FARTHEST} days, not {last_day - first_day}")
    in_order = ordered(schedules)
    settled: dict[str, bool] = {}
    tracks: list[Track] = []
    start = 0
    for schedule in in_order:
        stable = prefix_stable(schedule, settled)
        settled[schedule.name] = stable and one_route(schedule)
        for number, route in enumerate(schedule.routes):
            stop = start + len(route.deliveries)
            tracks.append(Track(len(tracks), schedule, number, slice(start, stop), stable))
            start = stop
    return Plan(tuple(tracks), first_day, last_day, _Compiler(tracks, service_numbers, first_day, last_day).arrays())


class _Compiler:
    """Collects the distinct clocks while the arrays are written."""

    def __init__(self, tracks: list[Track], service_numbers: Mapping[str, int], first_day: int, last_day: int) -> None:
        self.tracks, self.service_numbers = tracks, service_numbers
        self.days = np.arange(first_day, last_day + 1, dtype=np.int32)
        self.clocks: dict[tuple[Clock, MonthEnd], int] = {}
        self.first_track = {track.name: track.number for track in reversed(tracks)}

    def clock(self, clock: Clock, month_end: MonthEnd) -> int:
        return self.clocks.setdefault((clock, month_end), len(self.clocks))

    def ages(self, low: Age, month_end: MonthEnd, high: Limit = None) -> int:
        """Ages from `low` to `high`, as a clock that opens and closes then."""
        return self.clock(Clock(low, low, None, None, high), month_end)

    def hands(self) -> NDArray[np.int16]:
        table = np.empty((len(self.days), len(self.clocks), len(HANDS)), np.int16)
        for (clock, month_end), column in self.clocks.items():
            for hand, name in enumerate(HANDS):
                limit: Limit = getattr(clock, name)
                if isinstance(limit, Age):
                    days = after(limit, self.days, month_end) - self.days
                    table[:, column, hand] = np.clip(days, -FARTHEST, FARTHEST)
                else:
                    table[:, column, hand] = AT_END if limit == END else NO_LIMIT
        return table

    def arrays(self) -> Arrays:
        deliveries: list[tuple[int, ...]] = []
        gaps: list[tuple[int, ...]] = []
        releases: list[tuple[int, ...]] = []
        released = 0
        for track, delivery in ((t, d) for t in self.tracks for d in t.route.deliveries):
            column = released if delivery.releases else -1
            released += bool(delivery.releases)
            service = self.service_numbers.get(delivery.service, -1)
            clock = self.clock(delivery.age, track.schedule.month_end)
            own = [self.gap(gap, track) for gap in delivery.gaps]
            only = own[0][GAP_CLOCK] if own else -1
            deliveries.append((service, clock, len(gaps), len(releases), column, only))
            gaps += own
            releases += self.releases(delivery, track.schedule.month_end)
        tracks = [self.track(track) for track in self.tracks] + [(len(deliveries), *[-1] * 8)]
        deliveries.append((-1, -1, len(gaps), len(releases), -1, -1))
        services = max(self.service_numbers.values(), default=-1) + 1
        tables = _int32(tracks, 9), _int32(deliveries, 6), _int32(gaps, 5), _int32(releases, 3)
        return Arrays(int(self.days[0]), services, self.hands(), *tables)

    def track(self, track: Track) -> tuple[int, ...]:
        kind = (
            CHAIN
            if track.schedule.match == "chain"
            else PLAIN
            if all(map(_simple, track.route.deliveries))
            else EARLIEST
        )
        if kind == PLAIN and len({delivery.service for delivery in track.route.deliveries}) > 1:
            kind = EARLIEST
        routes = 0 if one_route(track.schedule) else len(track.schedule.routes)
        first, fits = track.route.first, (ANYBODY, 0)
        if first is not None and first.service is not None:
            fits = FIRST_SERVICE, self.service_numbers.get(first.service, -1)
        elif first is not None and first.age is not None:
            fits = FIRST_AGE, self.ages(first.age[0], track.schedule.month_end, first.age[1])
        start = track.deliveries.start, kind, track.schedule.in_sequence
        return *start, *self.anchor(track.schedule.anchor), self.first_track[track.name], routes, *fits

    def anchor(self, anchor: str | Anchor) -> tuple[int, int]:
        path = starts_at(anchor)
        return (self.first_track[path[0]], path[1]) if path else (-1, 0)

    def gap(self, gap: GapClock, track: Track) -> tuple[int, ...]:
        month_end = track.schedule.month_end
        since: tuple[int, int, int]
        if isinstance(gap.since, int):
            since = OWN, track.number, gap.since
        elif isinstance(gap.since, tuple):
            since = OTHER, self.first_track[gap.since[0]], gap.since[1]
        else:
            since = (COUNTED if gap.since == "counted" else PREVIOUS), -1, 0
        ages = self.ages(gap.ages[0], month_end, gap.ages[1]) if gap.ages else -1
        return *since, self.clock(gap.clock, month_end), ages

    def releases(self, delivery: Delivery, month_end: MonthEnd) -> Iterator[tuple[int, ...]]:
        for release in delivery.releases:
            if release.age is not None:
                yield BY_AGE, self.ages(release.age.plus(Age(0, int(release.after_age))), month_end), 0
            elif release.received is not None:
                yield BY_RECEIVED, release.received, self.ages(release.since, month_end)
            else:
                yield BY_STARTED, self.first_track[str(release.started)], 0


def _simple(delivery: Delivery) -> bool:
    """Whether its age clock and at most one gap since the last counted record say all, neither until the end."""
    clocks = [delivery.age, *(gap.clock for gap in delivery.gaps)]
    counted = [gap for gap in delivery.gaps if gap.since == "counted" and gap.ages is None]
    return not delivery.releases and len(delivery.gaps) == len(counted) <= 1 and all(c.until != END for c in clocks)


def _int32(rows: Sequence[tuple[int, ...]], width: int) -> NDArray[np.int32]:
    return np.array(rows, np.int32).reshape(-1, width)
