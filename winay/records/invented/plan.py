"""What a programme's invented people are like: `demo.yaml` as typed models, its names checked against the programme."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from winay.core.problems import Problem, WinayError
from winay.programme.check import defined, delivery
from winay.programme.legal import Words
from winay.programme.load import Programme
from winay.programme.written_age import WrittenAge
from winay.programme.yaml_text import Listed, Named, Written, read, validate


class Chance(Written):
    """How often (in a usual household), for whom (values of other facts), and how much the family adds to the odds."""

    share: float = Field(1, gt=0, le=1)
    only: Named[Listed[str]] = {}
    family: float = 1


class Fact(Chance):
    """A fact to draw for each row: text, or a day. Blank (a day: never) for those to whom it does not happen.

    One of: options, alike or each with its weight; text with another fact in it, or the row's `number`; facility, one
    near by, by the weight of its category; the day `after` another's by `between` days, or by `late` days, the median.
    """

    fact: str
    options: list[str] | Named[float] = []
    text: str | None = None
    facility: Named[float] = {}
    after: str = "day"
    between: tuple[int, int] | None = None
    late: float = 0


class Kind(Written):
    """A kind of subject, one for each birth or home (which twins share), its facts, and its last day."""

    each: Literal["birth", "home"]
    until: str
    facts: list[Fact]


class Care(Chance):
    """Records that people come to have: the deliveries of a standard, or a service `on` the day of such deliveries.

    planned: the ages at which each is usually given, where they differ from the standard's `from`; since: ages count
    from this delivery; late: days, median. service: what a record proves, if not what the standard counts; codes: one a
    delivery; lab: its LAB value, or `number`; bare: the contact has what must stand beside the item; wrong: share of
    records of the type that does not count; values: mean and standard deviation of each; file: which tells of it.
    """

    standard: str | None = None
    service: str = ""
    on: Listed[str] = []
    since: str | None = None
    planned: list[WrittenAge] = []
    late: float = 5
    codes: list[str] = []
    lab: str = ""
    bare: bool = False
    wrong: float = 0.02
    values: Named[tuple[float, float]] = {}
    file: str = "contacts"


class File(Written):
    """How a declared source is delivered: which rows it has, and what its columns hold that the source does not read.

    A row for each of the `days` of a subject, or those of the table `of`: `districts`, `facilities`, or the care told in
    the file of that role (left out: its own). once: the first row with each value of this fact; facts: more to draw;
    fill: column -> text with a fact in it; bad: rows that must be refused.
    """

    source: str
    days: Listed[str] = []
    of: str | None = None
    once: str | None = None
    only: Named[Listed[str]] = {}
    facts: list[Fact] = []
    fill: Named[str] = {}
    compress: bool = False
    bad: list[Named[str]] = []


class Planted(Written):
    """A case put in on purpose, and the command to look at it (`{who}`, `{place}`, `{month}`)."""

    name: Words
    look: str


class Plan(Written):
    """demo.yaml. family, place: how much households and districts differ in all that happens (log-odds); by: attribute of
    a district -> how much one standard deviation of it adds; spread: of everything late (log of days); leaving: villages
    that go to the new place; client: the kind of number that a facility gives to who comes with a document; keyed: days,
    median, until a contact is keyed in.
    """

    regions: list[str]
    months: int
    history: int
    family: float
    place: float
    by: Named[float]
    spread: float
    twins: float
    facilities: Named[Listed[str]]
    new_place: str
    leaving: list[str]
    homes: list[Fact]
    people: Named[Kind]
    client: str
    keyed: float
    care: list[Care]
    uncounted: str
    files: Named[File]
    planted: Named[Planted]


def load(programme: Programme) -> Plan:
    """The demo of a programme. Raises WinayError with every problem, each at its line."""
    file = programme.path / "demo.yaml"
    plan = validate(Plan, read(file), file)
    if problems := list(_unknown(plan, programme)):
        raise WinayError(problems)
    return plan


def _unknown(plan: Plan, programme: Programme) -> Iterator[Problem]:
    """Names that the programme does not define."""
    for name in plan.by:
        yield from defined(plan.at, "attribute", name, [n for n, a in programme.attributes.items() if a.of == "place"])
    for file in plan.files.values():
        yield from defined(file.at, "source", file.source, programme.sources)
    for care in plan.care:
        yield from defined(care.at, "standard", care.standard, programme.standards)
        yield from defined(care.at, "service", care.service or None, programme.services)
        for path in (*care.on, *([care.since] if care.since else [])):
            yield from delivery(programme, care.at, path)
