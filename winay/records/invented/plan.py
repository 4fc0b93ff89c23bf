"""What the invented people are like: `demo.yaml` as typed models, its names checked against the programme."""

from collections.abc import Iterator

from pydantic import Field

from winay.core.problems import Problem, WinayError
from winay.programme.check import defined, delivery
from winay.programme.legal import Words
from winay.programme.load import Programme
from winay.programme.standards import WrittenAge
from winay.programme.yaml_text import Listed, Named, Written, read, validate


class Chance(Written):
    """How often (in a usual household), and for whom: the options of its attributes."""

    share: float = Field(0.5, gt=0, lt=1)
    only: Named[Listed[str]] = {}


class Document(Chance):
    """A number that people come to have: its kind, how it is written, how many days (median) after birth it comes."""

    kind: str
    form: str
    late: float = 0


class Care(Chance):
    """Records that people come to have: the deliveries of a standard, or a service `on` the day of such deliveries.

    planned: the ages at which each is usually given, where they differ from the standard's `from`; since: ages count
    from this delivery; late: days, median. service: what a record proves, if not what the standard counts; codes: one a
    delivery; lab: its LAB value, or `number`; bare: the contact has what must stand beside the item; wrong: share of
    records of the type that does not count; haemoglobin: mean and standard deviation.
    """

    standard: str | None = None
    service: str | None = None
    on: Listed[str] = []
    since: str | None = None
    planned: list[WrittenAge] = []
    late: float = 5
    codes: list[str] = []
    lab: str = ""
    bare: bool = False
    wrong: float = 0.02
    haemoglobin: tuple[float, float] | None = None


class File(Written):
    """How a declared source is written: what its columns hold that it does not read, and rows that must be refused."""

    source: str
    fill: Named[str] = {}
    compress: bool = False
    bad: list[Named[str]] = []


class Planted(Written):
    """A case put in on purpose, and the command to look at it (`{who}`, `{place}`, `{month}`)."""

    name: Words
    look: str


class Plan(Written):
    """demo.yaml. family, place: how much households and districts differ in all that happens (log-odds); by: attribute of
    a district -> how much one standard deviation of it adds; spread: of everything late (log of days); options: attribute
    of a household -> option -> share.
    """

    regions: list[str]
    months: int
    history: int
    family: float
    place: float
    by: Named[float]
    spread: float
    twins: float
    deaths: float
    moves: float
    settlements: int
    new_place: str
    family_names: list[str]
    given_names: Named[list[str]]
    named_by: str
    options: Named[Named[float]]
    facilities: Named[Listed[str]]
    categories: Named[float]
    birth_categories: Named[float]
    documents: Named[Document]
    users: Chance
    care: list[Care]
    uncounted: str
    keyed: float
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
        yield from defined(care.at, "service", care.service, programme.services)
        for path in (*care.on, care.since):
            if path:
                yield from delivery(programme, care.at, path)
