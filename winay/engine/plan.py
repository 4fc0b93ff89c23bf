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
from winay.programme.schedule import START, Clock, Delivery, GapClock, Limit, Route, Schedule
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
VALID, FROM, DUE, BY, UNTIL = range(5)
HANDS = ("valid", "from_", "due", "by", "until")


class Arrays(NamedTuple):
    """The plan as the kernel sees it: T tracks, D deliveries, G gaps, R releases, A ages, C clocks.

    `x_start[i] : x_start[i + 1]` are the x of the i-th.
    """

    first_day: int
    age: NDArray[np.int16]  # [days, A]
    clock: NDArray[np.int32]  # [C, 5] columns of `age`, by hand
    track_start: NDArray[np.int32]  # [T + 1] deliveries
    track_kind: NDArray[np.int8]
    track_in_sequence: NDArray[np.bool_]
    track_anchor: NDArray[np.int32]  # [T, 2] track and number of the delivery it starts at; -1: the anchor is given
    track_routes: NDArray[np.int32]  # [T, 2] first track of its standard, how many routes that has
    track_first: NDArray[np.int32]  # [T, 3] whom it fits: ANY_FIRST; FIRST_AGE, two ages; FIRST_SERVICE, it
    delivery_service: NDArray[np.int32]  # [D]; -1: a service that nothing proves
    delivery_clock: NDArray[np.int32]
    gap_start: NDArray[np.int32]  # [D + 1]
    gap_since: NDArray[np.int32]  # [G, 3] COUNTED, PREVIOUS, or OWN, OTHER with track and number
    gap_clock: NDArray[np.int32]
    gap_ages: NDArray[np.int32]  # [G, 2] columns of the ages it binds; -1: it always binds
    release_start: NDArray[np.int32]  # [D + 1]
    release: NDArray[np.int32]  # [R, 3] BY_AGE age; BY_RECEIVED n, since age; BY_STARTED track
    release_column: NDArray[np.int32]  # [D] column of `released`; -1: the delivery is always owed
    services: int


@dataclass(frozen=True)
class Track:
    """One route of one standard: what the kernel evaluates as a whole. A standard without variants has one."""

    number: int
    schedule: Schedule
    route: Route
    deliveries: slice
    stable: bool
    """Cutting the records at a day equals cutting `received` at it. If not: evaluate with `cut`, once a judging day."""

    @property
    def name(self) -> str:
        return self.schedule.name


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
        return int(self.arrays.track_start[-1])

    @property
    def release_columns(self) -> int:
        return int(self.arrays.release_column.max(initial=-1)) + 1

    def hand(self, hand: int) -> NDArray[np.int16]:
        """int16 [anchor day - first_day, delivery]: one hand of every age clock, from the anchor; NO_LIMIT, AT_END."""
        return self.arrays.age[:, self.arrays.clock[self.arrays.delivery_clock, hand]]

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
    start = event.window.from_ or START
    since = (GapClock((f"event:{event.since}", 1), Clock(START, START, None, None, None)),) if event.since else ()
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
        settled[schedule.name] = stable and len(schedule.routes) == 1
        for route in schedule.routes:
            stop = start + len(route.deliveries)
            tracks.append(Track(len(tracks), schedule, route, slice(start, stop), stable))
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
        gaps: list[tuple[int, ...]] = []
        releases: list[tuple[int, int, int]] = []
        gap_start, release_start, clocks = [0], [0], []
        owed = [(track, delivery) for track in self.tracks for delivery in track.route.deliveries]
        for track, delivery in owed:
            clocks.append(self.clock(delivery.age, track.schedule.month_end))
            gaps += [self.gap(gap, track) for gap in delivery.gaps]
            releases += self.releases(delivery, track.schedule.month_end)
            gap_start.append(len(gaps))
            release_start.append(len(releases))
        first = [self.first(track) for track in self.tracks]
        gap_table = _int32(gaps, 6)
        released = np.diff(release_start) > 0
        return Arrays(
            first_day=int(self.days[0]),
            age=self.table(),
            clock=_int32(list(self.clocks), 5),
            track_start=_int32([0, *(track.deliveries.stop for track in self.tracks)]),
            track_kind=np.array([self.kind(track) for track in self.tracks], np.int8),
            track_in_sequence=np.array([track.schedule.in_sequence for track in self.tracks], np.bool_),
            track_anchor=_int32([self.anchor(track) for track in self.tracks], 2),
            track_routes=_int32([(self.first_track[t.name], len(t.schedule.routes)) for t in self.tracks], 2),
            track_first=_int32(first, 3),
            delivery_service=_int32([self.service_numbers.get(delivery.service, -1) for _, delivery in owed]),
            delivery_clock=_int32(clocks),
            gap_start=_int32(gap_start),
            gap_since=np.ascontiguousarray(gap_table[:, :3]),
            gap_clock=np.ascontiguousarray(gap_table[:, 3]),
            gap_ages=np.ascontiguousarray(gap_table[:, 4:]),
            release_start=_int32(release_start),
            release=_int32(releases, 3),
            release_column=np.where(released, np.cumsum(released) - 1, -1).astype(np.int32),
            services=max(self.service_numbers.values(), default=-1) + 1,
        )

    def kind(self, track: Track) -> int:
        if track.schedule.match == "chain":
            return CHAIN
        simple = all(
            not d.releases
            and d.service == track.route.deliveries[0].service
            and d.age.until != END
            and (not d.gaps or (len(d.gaps) == 1 and d.gaps[0].since == "counted" and d.gaps[0].ages is None))
            and all(gap.clock.until != END for gap in d.gaps)
            for d in track.route.deliveries
        )
        return PLAIN if simple else EARLIEST

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


def _int32(values: Sequence[object], width: int = 0) -> NDArray[np.int32]:
    return np.array(values, np.int32).reshape((-1, width) if width else (-1,))
