"""The month masks that verdicts are made of equal the reference, judged month by month and on a day of one's own."""

from datetime import date

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, settings

from tests.generated.engine import Compiled, by_reference
from tests.generated.strategies import World, worlds
from tests.reference.evaluator import Row, up_to_date
from winay.core.ages import Age, day_of
from winay.engine.fold import ON_TIME, RECEIVED, UP_TO_DATE, Fold, Judge
from winay.engine.judging import Calendar, JudgingDay
from winay.engine.units import Units

MONTHS = JudgingDay("months")
OWN = JudgingDay("age", Age(6, 0))
PAID = ("on_time", "late")
relaxed = settings(
    deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, max_examples=120, phases=[Phase.generate]
)


def by_rows(how: int, rows: list[Row], on: date) -> bool:
    """What `fold` says, in the reference's words."""
    if how == UP_TO_DATE:
        return up_to_date(rows, on)
    owed = [row for row in rows if row.status != "not_owed"]
    wanted = ("on_time",) if how == ON_TIME else PAID
    return bool(rows) and all(row.status in wanted for row in owed)


def masks(world: World, compiled: Compiled, judged: JudgingDay, calendar: Calendar) -> dict[Fold, np.ndarray]:
    table = pa.table({"subject": np.arange(len(compiled.births), dtype=np.int32)})
    units = Units("child", table, compiled.births, compiled.offsets, compiled.services, compiled.days, compiled.fits)
    names = [meant.name for meant in world.meant() if not meant.name.startswith("event:")]
    folds = [Fold(how, name) for how in (UP_TO_DATE, RECEIVED, ON_TIME) for name in names]
    judge = Judge(compiled.plan, calendar, judged, "clip", folds)
    return judge.masks(units, compiled.anchors, compiled.receive())


class Told(dict[tuple[int, date], dict[tuple[str, int], Row]]):
    """The reference's rows of each life on each day, asked for once."""

    def __init__(self, world: World) -> None:
        self.world = world

    def rows(self, number: int, name: str, on: date) -> list[Row]:
        if (number, on) not in self:
            self[number, on] = by_reference(self.world, self.world.lives[number], on)
        return [row for (standard, _), row in self[number, on].items() if standard == name]


@relaxed
@given(worlds())
def test_each_month_is_judged_on_what_was_there_by_then(world: World) -> None:
    calendar = Calendar.back_from(world.on, 5)
    compiled, told = Compiled(world), Told(world)
    for fold, mask in masks(world, compiled, MONTHS, calendar).items():
        for number, life in enumerate(world.lives):
            for bit, day in enumerate(map(day_of, calendar.days)):
                wanted = by_rows(fold.how, told.rows(number, fold.standard, day), day)
                assert bool(mask[number] >> bit & 1) == wanted, (fold, life, day)


@relaxed
@given(worlds())
def test_a_milestone_is_judged_on_its_own_day(world: World) -> None:
    calendar = Calendar.back_from(world.on, 5)
    compiled, told = Compiled(world), Told(world)
    for fold, mask in masks(world, compiled, OWN, calendar).items():
        for number, life in enumerate(world.lives):
            day = OWN.age.after(life.birth)
            wanted = by_rows(fold.how, told.rows(number, fold.standard, day), day)
            assert mask[number] == (calendar.all if wanted else 0), (fold, life, day)
