"""What is owed, as run: the normal form compiled to flat arrays that the kernel reads (design 6).

Calendar arithmetic happens here, once a calendar day: `age[day - first_day, a]` is how many days the a-th distinct age
of the programme lasts from that day. Everything else is a column number in that table.
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
from winay.programme.standards import END, Anchor

NO_LIMIT = 32767
"""In the age table: nobody wrote this hand, or it has no limit."""
AT_END = 32766
"""In the age table: the day the episode ends, whatever the origin."""
NONE = -32768
"""In `received` and `released`: never. All other values are days from the unit's birth."""
NO_DAY = np.int32(-(2**31))
"""In anchors: the unit has none."""
FARTHEST = 32000
"""Days a plan can span and a hand can reach: a lifetime, and what fits into an int16."""
COUNTED, PREVIOUS, OWN, OTHER = range(4)
BY_AGE, BY_RECEIVED, BY_STARTED = range(3)
PLAIN, EARLIEST, CHAIN = range(3)
ANY_FIRST, FIRST_AGE, FIRST_SERVICE = range(3)
START, KIND, IN_SEQUENCE, ANCHOR, ANCHOR_NUMBER, FIRST_TRACK, ROUTES, FITS, FITS_LOW, FITS_HIGH = range(10)
"""Columns of `track`: first delivery; how it is matched; the delivery it starts at (track -1: given); the first track of
its standard and how many routes that has (0: one for everybody); whom the route fits (ANY_FIRST; FIRST_AGE, two ages;
FIRST_SERVICE, a service)."""
SERVICE, AGE_CLOCK, GAPS, RELEASES, RELEASED_IN, PLAIN_GAP = range(6)
"""Columns of `delivery`: service (-1: nothing proves it), clock, first gap and release, column of `released` (-1: none),
clock of its only gap (-1: none)."""
SINCE, SINCE_TRACK, SINCE_NUMBER, GAP_CLOCK, LOW, HIGH = range(6)
"""Columns of `gap`: COUNTED, PREVIOUS, or OWN, OTHER with track and number; clock; the ages it binds (-1: it always does)."""
VALID, FROM, DUE, BY, UNTIL = range(5)
HANDS = ("valid", "from_", "due", "by", "until")


class Arrays(NamedTuple):
    """The plan as the kernel sees it. Row i of `track` and `delivery` owns what lies between its borders and those of i + 1."""

    first_day: int
    services: int
    age: NDArray[np.int16]
    """[day - first_day, age]: days that a distinct age lasts from that day."""
    clock: NDArray[np.int32]
    """[clock, hand]: columns of `age`."""
    window: NDArray[np.int16]
    """[day - first_day, delivery, 2]: `valid` and `until` of its age clock, so that the common case reads them in a row."""
    gap_window: NDArray[np.int16]
    """[day - first_day, clock, 2]: the same of each clock."""
    track: NDArray[np.int32]
    """[track + 1, START…]"""
    delivery: NDArray[np.int32]
    """[delivery + 1, SERVICE…]"""
    gap: NDArray[np.int32]
    """[gap, SINCE…]"""
    release: NDArray[np.int32]
    """[release, 3]: BY_AGE, age; BY_RECEIVED, n, since which age; BY_STARTED, track."""


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

    def hand(self, hand: int) -> NDArray[np.int16]:
        """int16 [anchor day - first_day, delivery]: one hand of every age clock, from the anchor; NO_LIMIT, AT_END."""
        return self.arrays.age[:, self.arrays.clock[self.arrays.delivery[:-1, AGE_CLOCK], hand]]

    @cached_property
    def by(self) -> NDArray[np.int16]:
        return self.hand(BY)

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


def refers_to(schedule: Schedule) -> Iterator[str]:
    """The schedules that must be evaluated before this one."""
    if isinstance(schedule.anchor, Anchor):
        if schedule.anchor.event:
            yield f"event:{schedule.anchor.event}"
        elif schedule.anchor.delivery:
            yield schedule.anchor.delivery.rsplit("/", 1)[0]
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
    """Collects the distinct ages and clocks while the arrays are written."""

    def __init__(self, tracks: list[Track], service_numbers: Mapping[str, int], first_day: int, last_day: int) -> None:
        self.tracks, self.service_numbers = tracks, service_numbers
        self.days = np.arange(first_day, last_day + 1, dtype=np.int32)
        self.ages: dict[tuple[Limit, MonthEnd], int] = {}
        self.clocks: dict[tuple[int, ...], int] = {}
        self.first_track = {track.name: track.number for track in reversed(tracks)}

    def column(self, limit: Limit, month_end: MonthEnd) -> int:
        plain: MonthEnd = month_end if isinstance(limit, Age) and limit.months else "clip"
        return self.ages.setdefault((limit, plain), len(self.ages))

    def clock(self, clock: Clock, month_end: MonthEnd) -> int:
        columns = tuple(self.column(getattr(clock, hand), month_end) for hand in HANDS)
        return self.clocks.setdefault(columns, len(self.clocks))

    def table(self) -> NDArray[np.int16]:
        table = np.empty((len(self.days), len(self.ages)), np.int16)
        for (limit, month_end), column in self.ages.items():
            if isinstance(limit, Age):
                table[:, column] = np.clip(after(limit, self.days, month_end) - self.days, -FARTHEST, FARTHEST)
            else:
                table[:, column] = AT_END if limit == END else NO_LIMIT
        return table

    def arrays(self) -> Arrays:
        tracks: list[tuple[int, ...]] = [
            (t.deliveries.start, *self.kind(t), *self.anchor(t), *self.routes(t), *self.first(t)) for t in self.tracks
        ]
        deliveries: list[tuple[int, ...]] = []
        gaps: list[tuple[int, ...]] = []
        releases: list[tuple[int, int, int]] = []
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
        tracks.append((len(deliveries), *[-1] * 9))
        deliveries.append((-1, -1, len(gaps), len(releases), -1, -1))
        services = max(self.service_numbers.values(), default=-1) + 1
        ages, clocks = self.table(), _int32(list(self.clocks), 5)
        tables = _int32(tracks, 10), _int32(deliveries, 6), _int32(gaps, 6), _int32(releases, 3)
        gap_window = ages[:, clocks[:, [VALID, UNTIL]]]
        window = np.ascontiguousarray(gap_window[:, tables[1][:-1, AGE_CLOCK]])
        return Arrays(int(self.days[0]), services, ages, clocks, window, np.ascontiguousarray(gap_window), *tables)

    def kind(self, track: Track) -> tuple[int, bool]:
        if track.schedule.match == "chain":
            return CHAIN, track.schedule.in_sequence
        simple = all(
            not d.releases
            and d.service == track.route.deliveries[0].service
            and d.age.until != END
            and (not d.gaps or (len(d.gaps) == 1 and d.gaps[0].since == "counted" and d.gaps[0].ages is None))
            and all(gap.clock.until != END for gap in d.gaps)
            for d in track.route.deliveries
        )
        return (PLAIN if simple else EARLIEST), track.schedule.in_sequence

    def routes(self, track: Track) -> tuple[int, int]:
        return self.first_track[track.name], 0 if one_route(track.schedule) else len(track.schedule.routes)

    def anchor(self, track: Track) -> tuple[int, int]:
        anchor = track.schedule.anchor
        if isinstance(anchor, Anchor) and anchor.event:
            return self.first_track[f"event:{anchor.event}"], 1
        if isinstance(anchor, Anchor) and anchor.delivery:
            name, number = anchor.delivery.rsplit("/", 1)
            return self.first_track[name], int(number)
        return -1, 0

    def first(self, track: Track) -> tuple[int, int, int]:
        first = track.route.first
        if first is None:
            return ANY_FIRST, 0, 0
        if first.service is not None:
            return FIRST_SERVICE, self.service_numbers.get(first.service, -1), 0
        assert first.age is not None
        month_end = track.schedule.month_end
        return FIRST_AGE, self.column(first.age[0], month_end), self.column(first.age[1], month_end)

    def gap(self, gap: GapClock, track: Track) -> tuple[int, ...]:
        month_end = track.schedule.month_end
        since: tuple[int, int, int]
        if isinstance(gap.since, int):
            since = OWN, track.number, gap.since
        elif isinstance(gap.since, tuple):
            since = OTHER, self.first_track[gap.since[0]], gap.since[1]
        else:
            since = (COUNTED if gap.since == "counted" else PREVIOUS), -1, 0
        ages = [self.column(age, month_end) for age in gap.ages] if gap.ages else [-1, -1]
        return *since, self.clock(gap.clock, month_end), *ages

    def releases(self, delivery: Delivery, month_end: MonthEnd) -> Iterator[tuple[int, int, int]]:
        for release in delivery.releases:
            if release.age is not None:
                age = release.age.plus(Age(0, int(release.after_age)))
                yield BY_AGE, self.column(age, month_end), 0
            elif release.received is not None:
                yield BY_RECEIVED, release.received, self.column(release.since, month_end)
            else:
                yield BY_STARTED, self.first_track[str(release.started)], 0


def _int32(rows: Sequence[tuple[int, ...]], width: int) -> NDArray[np.int32]:
    return np.array(rows, np.int32).reshape(-1, width)
