"""The judge: design 4.2 in slow, obvious Python, read from the normal form. It shares nothing with the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from winay.programme.schedule import Clock, Delivery, GapClock, Limit, Release, Route, Schedule
from winay.programme.written_age import END

ONE_DAY = timedelta(days=1)
Records = Mapping[str, Sequence[date]]


@dataclass(frozen=True)
class Row:
    """What is owed and what became of it; a hand that nobody wrote is None."""

    delivery: int
    received: date | None
    status: str
    valid: date | None = None
    from_: date | None = None
    due: date | None = None
    by: date | None = None
    until: date | None = None


def evaluate(
    schedule: Schedule,
    anchor: date | None,
    records: Records,
    on: date,
    *,
    end: date | None = None,
    others: Mapping[tuple[str, int], date | None] | None = None,
    applies: bool = True,
    route_fits: Sequence[bool] | None = None,
) -> list[Row]:
    """One row a delivery, as of `on`.

    records: days by service, any order, repeated or not. others: received days of other standards, by name and number.
    applies: the subject is inside `who`; route_fits: the same for each variant's `who`.
    """
    case = _Case(schedule, anchor, records, on, end, others or {}, route_fits)
    if not applies or anchor is None:
        return [Row(d.number, None, "exempt") for d in schedule.routes[0].deliveries]
    route = case.route()
    if route is None:
        return [Row(d.number, None, "exempt") for d in schedule.routes[0].deliveries]
    return case.chain(route) if schedule.match == "chain" else case.earliest(route)


class _Case:
    """One subject, one schedule, one day."""

    def __init__(self, schedule, anchor, records, on, end, others, route_fits):
        self.schedule, self.anchor, self.on, self.end, self.others = schedule, anchor, on, end, others
        self.all_days = {service: sorted({day for day in days if day <= on}) for service, days in records.items()}
        self.route_fits = route_fits or [True] * len(schedule.routes)

    # ---- days -------------------------------------------------------------------------------------------------------

    def day(self, limit: Limit, origin: date) -> date | None:
        """The calendar day of a hand; None: no limit."""
        if limit is None:
            return None
        if limit == END:
            return self.end
        return limit.after(origin, self.schedule.month_end)

    def days(self, service: str) -> list[date]:
        """D(k): distinct days of the service from the anchor to the judging day."""
        return [day for day in self.all_days.get(service, []) if day >= self.anchor]

    def previous(self, service: str, before: date) -> date | None:
        """The last record of the service strictly before a day, counted or not, also before the anchor."""
        return max((day for day in self.all_days.get(service, []) if day < before), default=None)

    def binds(self, gap: GapClock, day: date) -> bool:
        """Whether a gap binds a record of that day: the record's own age lies in the gap's range."""
        if gap.ages is None:
            return True
        last = self.day(gap.ages[1], self.anchor)
        return gap.ages[0].after(self.anchor, self.schedule.month_end) <= day and (last is None or day <= last)

    # ---- variants ---------------------------------------------------------------------------------------------------

    def route(self) -> Route | None:
        """The first variant that fits; None when none does."""
        return next(
            (r for r, fits in zip(self.schedule.routes, self.route_fits, strict=True) if fits and self.fits(r)), None
        )

    def fits(self, route: Route) -> bool:
        if route.first is None:
            return True
        first = next(iter(self.days(route.deliveries[0].service)), None)
        if route.first.service is not None:
            return first is not None and first in self.days(route.first.service)
        start, stop = route.first.age
        last = self.day(stop, self.anchor)
        day = first or self.on
        return start.after(self.anchor, self.schedule.month_end) <= day and (last is None or day <= last)

    # ---- clocks -----------------------------------------------------------------------------------------------------

    def allows(self, clock: Clock, origin: date, day: date) -> bool:
        until = self.day(clock.until, origin)
        return self.day(clock.valid, origin) <= day and (until is None or day <= until)

    def earliest_day(self, hand: str, delivery: Delivery, origins: list[tuple[GapClock, date]]) -> date:
        """The earliest day from the age clock's hand on that no binding gap forbids."""
        day = self.day(getattr(delivery.age, hand), self.anchor)
        while True:
            forbidden = [
                gap
                for gap, origin in origins
                if self.binds(gap, day) and self.day(getattr(gap.clock, hand), origin) > day
            ]
            if not forbidden:
                return day
            day += ONE_DAY

    def hands(self, delivery, received, origins, latest=None) -> dict[str, date | None]:
        """The five hands across clocks. `latest`: origins for `until`, where they differ (a chain's latest end)."""
        if received is None:
            valid = self.earliest_day("valid", delivery, origins)
            start = self.earliest_day("from_", delivery, origins)
            judged = start
        else:
            judged = received
            bound = [(gap, origin) for gap, origin in origins if self.binds(gap, judged)]
            valid = max(
                self.day(c.valid, o) for c, o in [(delivery.age, self.anchor), *((g.clock, o) for g, o in bound)]
            )
            start = max(
                self.day(c.from_, o) for c, o in [(delivery.age, self.anchor), *((g.clock, o) for g, o in bound)]
            )
        bound = [(gap.clock, origin) for gap, origin in origins if self.binds(gap, judged)]
        ending = [(gap.clock, origin) for gap, origin in latest or origins if self.binds(gap, judged)]
        untils = [self.day(c.until, o) for c, o in [(delivery.age, self.anchor), *ending]]
        return {
            "valid": valid,
            "from_": start,
            "due": self.written("due", delivery, bound) or start,
            "by": self.written("by", delivery, bound),
            "until": min((day for day in untils if day), default=None),
        }

    def written(self, hand: str, delivery: Delivery, bound: list[tuple[Clock, date]]) -> date | None:
        """`due` or `by`: the age clock's where written, else the latest that a gap writes."""
        if getattr(delivery.age, hand) is not None:
            return self.day(getattr(delivery.age, hand), self.anchor)
        days = [self.day(getattr(clock, hand), origin) for clock, origin in bound if getattr(clock, hand) is not None]
        return max((day for day in days if day), default=None)

    # ---- earliest ---------------------------------------------------------------------------------------------------

    def earliest(self, route: Route) -> list[Row]:
        received: dict[int, date] = {}
        released: dict[int, date | None] = {}
        rows: list[Row] = []
        for delivery in route.deliveries:
            last = max(received.values(), default=None)
            released[delivery.number] = self.release(delivery, received)
            open_from = self.sequence_open(delivery, received, released)
            for day in self.days(delivery.service):
                if (last is None or day > last) and (open_from is not None and day >= open_from):
                    if self.takes(delivery, day, last, received, released[delivery.number]):
                        received[delivery.number] = day
                        break
            rows.append(self.row(delivery, last, received, released, rows))
        return rows

    def sequence_open(self, delivery, received, released) -> date | None:
        """In sequence: from when on every earlier delivery is received or not owed. None: never."""
        if not self.schedule.in_sequence:
            return date.min
        missing = [released[n] for n in range(1, delivery.number) if n not in received]
        return None if any(day is None for day in missing) else max(missing, default=date.min)

    def takes(self, delivery, day, last, received, released) -> bool:
        if released is not None and day >= released:
            return False
        if not self.allows(delivery.age, self.anchor, day):
            return False
        origins = self.origins(delivery, day, last, received)
        return origins is not None and all(self.allows(gap.clock, o, day) for gap, o in origins if self.binds(gap, day))

    def origins(self, delivery, day, last, received) -> list[tuple[GapClock, date]] | None:
        """The gaps whose start is known; None when one starts at a delivery that was not received (waiting)."""
        result = []
        for gap in delivery.gaps:
            if gap.since == "counted":
                origin = last
            elif gap.since == "previous":
                origin = self.previous(delivery.service, day)
            else:
                origin = received.get(gap.since) if isinstance(gap.since, int) else self.others.get(gap.since)
                if origin is None or origin > self.on:
                    return None
            if origin is not None:
                result.append((gap, origin))
        return result

    def release(self, delivery: Delivery, received: dict[int, date]) -> date | None:
        """The day from which the delivery is not owed; None: it is owed."""
        days = [self.release_day(release, received) for release in delivery.releases]
        return min((day for day in days if day), default=None)

    def release_day(self, release: Release, received: dict[int, date]) -> date | None:
        if release.age is not None:
            return release.age.after(self.anchor, self.schedule.month_end) + (
                ONE_DAY if release.after_age else timedelta()
            )
        if release.received is not None:
            start = release.since.after(self.anchor, self.schedule.month_end)
            counted = sorted(day for day in received.values() if day >= start)
            return counted[release.received - 1] if len(counted) >= release.received else None
        firsts = [day for (name, _), day in self.others.items() if name == release.started and day and day <= self.on]
        return min(firsts, default=None)

    def row(self, delivery, last, received, released, before) -> Row:
        day = received.get(delivery.number)
        origins = self.origins(delivery, day or self.on + ONE_DAY, last, received)
        waits = origins is None
        if waits:
            kept = [g for g in delivery.gaps if g.since in ("counted", "previous")]
            origins = self.origins(_with_gaps(delivery, kept), self.on + ONE_DAY, last, received)
        hands = self.hands(delivery, day, origins)
        follows = before if self.schedule.in_sequence else []
        return Row(delivery.number, day, self.status(day, hands, released[delivery.number], waits, follows), **hands)

    # ---- chain ------------------------------------------------------------------------------------------------------

    def chain(self, route: Route) -> list[Row]:
        rows: list[Row] = []
        before: list[date] | None = None
        for delivery in route.deliveries:
            ends = []
            for day in self.days(delivery.service):
                if self.allows(delivery.age, self.anchor, day):
                    if before is None or any(self.follows(delivery, end, day) for end in before):
                        ends.append(day)
            received = ends[0] if ends else None
            earliest = [(gap, before[0]) for gap in delivery.gaps] if before else []
            latest = [(gap, before[-1]) for gap in delivery.gaps] if before else []
            hands = self.hands(delivery, received, earliest, latest)
            rows.append(Row(delivery.number, received, self.status(received, hands, None, False, rows), **hands))
            before = ends
        return rows

    def follows(self, delivery: Delivery, end: date, day: date) -> bool:
        return end < day and all(self.allows(gap.clock, end, day) for gap in delivery.gaps if self.binds(gap, day))

    # ---- status -----------------------------------------------------------------------------------------------------

    def status(self, received, hands, released, waits, follows: list[Row]) -> str:
        by, until = hands["by"], hands["until"]
        if received is not None:
            return "on_time" if by is None or received <= by else "late"
        if released is not None and released <= max(self.on, hands["from_"]):
            return "not_owed"
        owed = [row for row in follows if row.status != "not_owed"]
        behind = bool(owed) and owed[-1].received is None
        if (until is not None and self.on > until) or (behind and owed[-1].status == "missed"):
            return "missed"
        if by is not None and self.on > by:
            return "overdue"
        if waits or behind:
            return "waiting"
        return "not_due" if self.on < hands["from_"] else "due"


def _with_gaps(delivery: Delivery, gaps: list[GapClock]) -> Delivery:
    return Delivery(delivery.number, delivery.service, delivery.age, tuple(gaps), delivery.releases)


def up_to_date(rows: Sequence[Row], on: date) -> bool:
    """Every owed delivery whose `by` has passed was received, late or not."""
    return all(row.received is not None for row in rows if _passed(row, on))


def timely(rows: Sequence[Row], on: date) -> bool:
    """Every owed delivery whose `by` has passed was received on time."""
    return all(row.status == "on_time" for row in rows if _passed(row, on))


def _passed(row: Row, on: date) -> bool:
    return row.status not in ("exempt", "not_owed") and row.by is not None and row.by < on
