"""What a programme's invented people are like: `demo.yaml` as typed models, its names checked against the programme."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from winay.core.problems import Problem, WinayError
from winay.programme.check import defined, delivery
from winay.programme.legal import Words
from winay.programme.load import Programme
from winay.programme.written_age import WrittenAge
from winay.programme.yaml_text import Listed, Named, Written, read, validate


class Chance(Written):
    """How often (in a usual household), for whom (values of other facts), and how much the family adds to the odds.

    share: a share of 1, or a series that says it for each district, in percent.
    """

    share: Annotated[float, Field(gt=0, le=1)] | str = Field(1, union_mode="left_to_right")
    only: Named[Listed[str]] = {}
    family: float = 1


class Fact(Chance):
    """A fact to draw for each row: text, a number, or a day. Blank (a day: never) for those to whom it does not happen.

    One of: options, alike or each with its weight; text with other facts in it, or the row's `number`; facility, one
    near by, by the weight of its category; normal, a number by its mean and standard deviation; the day `after` another's
    by `between` days, or by `late` days, the median.
    """

    fact: str
    options: list[str] | Named[float] = []
    text: str | None = None
    facility: Named[float] = {}
    normal: tuple[float, float] | None = None
    after: str = "day"
    between: tuple[int, int] | None = None
    late: float = 0


class Kind(Chance):
    """A kind of subject: one for some births or homes (which twins share), or for each value of facts `of` homes.

    facts: its own, which may replace those of the birth; until: its last day.
    """

    each: Literal["birth", "home"]
    of: Listed[str] = []
    until: str | None = None
    facts: list[Fact]


class Care(Chance):
    """Records that people come to have: the deliveries of a standard, or a service `on` days: of deliveries, or facts.

    planned: the ages at which each is usually given, where they differ from the standard's `from`; since: ages count
    from this delivery, or day; late: days, median. service: what a record proves, if not what the standard counts; codes: one a
    delivery; lab: its LAB value, or `number`; bare: the contact has what must stand beside the item; wrong: share of
    records of the type that does not count; values: mean and standard deviation of each; grown: the facts with the
    child's z-scores of height for age and of weight for height, read back into centimetres and kilos; file: which tells.
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
    grown: tuple[str, str] | None = None
    file: str = "contacts"


class File(Written):
    """How a declared source is delivered: which rows it has, and what its columns hold that the source does not read.

    A row for each of the `days` of a subject, or those of the table `of`: `districts`, `facilities`, or the care told in
    the file of that role (left out: its own). once: the first row with each value of this fact; facts: more to draw;
    fill: column -> text with a fact in it; history: as of the plan, where it differs; bad: rows that must be refused.
    """

    source: str
    days: Listed[str] = []
    of: str | None = None
    once: str | None = None
    only: Named[Listed[str]] = {}
    facts: list[Fact] = []
    fill: Named[str] = {}
    compress: bool = False
    history: int | None = None
    bad: list[Named[str]] = []


class Planted(Written):
    """A case put in on purpose, and the command to look at it (`{who}`, `{place}`, `{month}`)."""

    name: Words
    look: str


class Plan(Written):
    """demo.yaml. older: share of the children of each year before those months; altitude: g/dL of haemoglobin for each
    metre that somebody lives above the sea; family, place: how much households and districts differ in all that happens
    (log-odds); by: attribute of a district -> how much one standard deviation of it adds; spread: of everything late (log
    of days); leaving: villages that go to the new place; client: the kind of number that a facility gives to who comes
    with a document; keyed: days, median, until a contact is keyed in.
    """

    regions: list[str]
    months: int
    older: float
    altitude: float
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
    facts = {fact.fact for facts in (plan.homes, *(kind.facts for kind in plan.people.values())) for fact in facts}
    for name in plan.by:
        yield from defined(plan.at, "attribute", name, [n for n, a in programme.attributes.items() if a.of == "place"])
    for file in plan.files.values():
        yield from defined(file.at, "source", file.source, programme.sources)
    for care in plan.care:
        yield from defined(care.at, "standard", care.standard, programme.standards)
        yield from defined(care.at, "service", care.service or None, programme.services)
        for path in (*care.on, *([care.since] if care.since else [])):
            yield from delivery(programme, care.at, path) if "/" in path else defined(care.at, "fact", path, facts)
