"""Invented files: the same every time, shaped as declared, proving what they should, with the planted cases in them."""

import csv
import gzip
import hashlib
import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from winay.core.problems import WinayError
from winay.programme.load import Programme, load
from winay.programme.services import Matcher
from winay.records.growth import zscores
from winay.records.invented import Delivery, invent
from winay.records.invented.care import proof
from winay.records.invented.plan import load as demo

PROGRAMME = Path(__file__).parents[3] / "programmes/pe-dit"
ON = date(2026, 11, 24)
PROVINCE = "0304"
SOURCES = {
    "lugares", "establecimientos", "cnv", "padron", "dni", "his-pacientes", "his", "pncm", "salidas", "pncm-visitas",
    "pncm-asistencia", "pncm-locales", "pncm-supervisiones", "adolescentes", "juntos", "juntos-abonos", "siagie",
    "centros-poblados", "agua", "cem", "proteccion", "sis", "sien",
}  # fmt: skip


@pytest.fixture(scope="module")
def programme() -> Programme:
    return load(PROGRAMME)


@pytest.fixture(scope="module")
def made(programme: Programme, tmp_path_factory: pytest.TempPathFactory) -> list[Delivery]:
    return invent(programme, tmp_path_factory.mktemp("files"), ON, regions=[PROVINCE])


def read(path: Path) -> list[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        head = file.readline()
        file.seek(0)
        return list(csv.DictReader(file, delimiter=";" if head.count(";") > head.count(",") else ","))


def lines_of(made: list[Delivery], source: str) -> list[dict[str, str]]:
    return [line for one in made if one.source == source and not one.replaces for line in read(one.path)]


def planted(made: list[Delivery]) -> list[dict[str, str]]:
    return read(made[0].path.parents[1] / "planted.csv")


def digests(made: list[Delivery]) -> list[tuple[str, str]]:
    return [(one.path.name, hashlib.sha256(one.path.read_bytes()).hexdigest()) for one in made]


def test_same_seed_and_day_give_the_same_bytes(programme: Programme, made: list[Delivery], tmp_path: Path) -> None:
    assert digests(invent(programme, tmp_path / "again", ON, regions=[PROVINCE])) == digests(made)
    assert digests(invent(programme, tmp_path / "other", ON, seed=8, regions=[PROVINCE])) != digests(made)


def test_births_are_those_of_the_estimates(programme: Programme, made: list[Delivery]) -> None:
    """Within one child a district and year: the share that is no whole child is drawn. Some of the years before."""
    people = pd.read_csv(PROGRAMME / "reference/population.csv.gz", dtype={"place": str}).set_index("place")
    mine = people[people.index.str.startswith(PROVINCE)]
    born = {line["CO_PADRON_NOMINAL"]: line["FE_NAC_MENOR"] for line in lines_of(made, "padron")}
    young = sum(day > "2024-11-24" for day in born.values())
    assert young == pytest.approx(mine["age_0"].sum() + mine["age_1"].sum(), abs=2 * len(mine) + 40)
    older = mine[["age_2", "age_3", "age_4"]].sum().sum()
    assert len(born) - young == pytest.approx(0.05 * older, abs=3 * len(mine))


def test_files_come_in_order_and_none_after_the_day(made: list[Delivery]) -> None:
    days = [one.known_on for one in made]
    assert days == sorted(days)
    assert days[-1] <= ON
    assert {one.source for one in made} == SOURCES


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_lines_are_as_the_source_declares(programme: Programme, made: list[Delivery], source: str) -> None:
    """Every column there, what is required filled, every code of its pattern; but for the rows that are bad on purpose."""
    declared = programme.sources[source]
    wrong = 0
    for line in lines_of(made, source):
        assert list(line) == [column.name for column in declared.columns]
        for column in declared.columns:
            cell = line[column.name]
            assert cell or not column.required, column.name
            if cell and column.type == "date":
                wrong += (
                    not re.fullmatch(r"(19|20)\d\d-\d\d-\d\d", cell)
                    or cell > ON.isoformat()
                    or (cell.endswith("-31") and "-02-" in cell)
                )
            elif cell and column.pattern:
                assert re.fullmatch(column.pattern, cell), (column.name, cell)
            elif cell and column.values:
                parts = cell.split(column.separator) if column.separator else [cell]
                wrong += any(part not in column.values for part in parts)
    assert wrong == {"padron": 2, "his": 3}.get(source, 0)


MATCHERS = {
    "either code": ({"code": ["A", "B"]}, ("A B", "D R", "")),
    "own type": ({"code": ["A"], "type": ["D"]}, ("A", "D", "")),
    "a lab of a list": ({"code": ["A"], "lab": ["1", "2"]}, ("A", "D R", "1 2")),
    "both": (
        {"all": [{"code": ["A", "B"]}, {"code": ["B"], "lab": ["1", "TA"]}, {"lab_not": ["TA"]}]},
        ("B", "D R", "1"),
    ),
    "the first of two ways": ({"any": [{"code": ["A"]}, {"code": ["B"]}]}, ("A", "D R", "")),
}


@pytest.mark.parametrize("said, expected", MATCHERS.values(), ids=MATCHERS)
def test_a_matcher_read_backwards(
    programme: Programme, said: dict[str, object], expected: tuple[str, str, str]
) -> None:
    way = proof(programme, Matcher.model_validate(said))
    assert (" ".join(way.code), " ".join(way.type), " ".join(way.lab)) == expected


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("standard: penta-fed2026", "standard: pento-fed2026"),
        ("service: anemia-d", "service: anemia-x"),
        ("on: spr-1-mef2025/1", "on: spr-1-mef2025/9"),
        ("source: padron", "source: padrones"),
    ],
)
def test_a_wrong_name_is_told_with_its_line(programme: Programme, tmp_path: Path, right: str, wrong: str) -> None:
    text = (PROGRAMME / "demo.yaml").read_text("utf-8")
    (tmp_path / "demo.yaml").write_text(text.replace(right, wrong, 1), "utf-8")
    with pytest.raises(WinayError) as told:
        demo(replace(programme, path=tmp_path))
    (problem,) = told.value.problems
    line = text[: text.index(right)].count("\n") + 1
    assert problem.at and problem.at.line == line


def test_what_must_stand_beside_an_item_stands_there(programme: Programme, made: list[Delivery]) -> None:
    contacts: dict[str, set[str]] = {}
    for line in lines_of(made, "his"):
        contacts.setdefault(line["Id_Cita"], set()).add(line["Codigo_Item"])
    beside = programme.services["consejeria-vd"]
    asked, other = set(beside.code or ()), set((beside.with_ or [])[0].code or ())
    found = [codes for codes in contacts.values() if codes & asked]
    assert found
    assert all(codes & other for codes in found)


def test_most_lines_count_and_some_must_not(made: list[Delivery]) -> None:
    kinds = pd.Series([line["Tipo_Diagnostico"] for line in lines_of(made, "his")]).value_counts(normalize=True)
    assert 0.005 < kinds["P"] < 0.04
    assert kinds["D"] > 0.8


def test_every_case_is_planted_once_and_says_where_to_look(made: list[Delivery]) -> None:
    cases = {one["case"]: one for one in planted(made)}
    assert len(cases) == len(planted(made))
    assert set(cases) == {
        "twins", "homonyms", "undocumented", "joined", "moved", "died", "split", "new district", "silent", "late", "resent",
    }  # fmt: skip
    folder = made[0].path.parents[1]
    assert all(one["look"].startswith("winay ") and "{" not in one["look"] for one in planted(made))
    assert [one["file"] for one in planted(made) if not (folder / one["file"]).is_file()] == []


def test_the_planted_are_what_they_are_said_to_be(made: list[Delivery]) -> None:
    who = {one["case"]: one["who"] for one in planted(made)}
    cases = {one["case"]: one for one in planted(made)}
    rows = pd.DataFrame(lines_of(made, "padron"))
    registry = {case: rows[rows["CO_PADRON_NOMINAL"] == one] for case, one in who.items()}
    patients, items = pd.DataFrame(lines_of(made, "his-pacientes")), pd.DataFrame(lines_of(made, "his"))
    siblings = rows[rows["CO_DNI_MADRE"] == registry["twins"]["CO_DNI_MADRE"].iloc[0]]
    assert siblings["CO_PADRON_NOMINAL"].nunique() == 2
    names = ["AP_PRIMER_MENOR", "AP_SEGUNDO_MENOR", "PRENOMBRE_MENOR", "CO_UBIGEO_INEI"]
    namesakes = rows[(rows[names] == registry["homonyms"][names].iloc[0]).all(axis=1)]
    assert namesakes["CO_DNI_MADRE"].nunique() >= 2
    assert set(registry["undocumented"]["NU_DNI_MENOR"]) | set(registry["undocumented"]["NU_CNV"]) == {""}
    joined = registry["joined"].iloc[-1]
    kinds = patients[patients["Numero_Documento"].isin([joined["NU_DNI_MENOR"], joined["NU_CNV"]])]["Id_Tipo_Documento"]
    assert set(kinds) == {"1", "6"}
    assert registry["moved"]["CO_UBIGEO_INEI"].nunique() == 2
    left = registry["split"]["CO_UBIGEO_INEI"].tolist()
    assert left[-1] == who["new district"] != cases["new district"]["place"] == left[0]
    assert who["died"] in {line["num_doc"] for line in lines_of(made, "salidas")}
    silent = items[items["Id_Establecimiento"] == who["silent"]]["Fecha_Atencion"]
    assert silent.max() < cases["silent"]["day"]
    late = next(one for one in made if one.path.as_posix().endswith(cases["late"]["file"]))
    assert {line["Fecha_Atencion"][:7] for line in read(late.path)} == {cases["late"]["day"][:7]}


def test_a_month_sent_again_replaces_it(made: list[Delivery]) -> None:
    (again,) = [one for one in made if one.replaces]
    assert again.replaces == "2026-08"
    sent = [one for one in made if one.path.name == again.path.name and one.known_on < again.known_on]
    before, lines = [line for one in sent for line in read(one.path)], read(again.path)
    assert 0.95 * len(before) < len(lines) < len(before)
    assert {line["Fecha_Atencion"][:7] for line in lines} == {"2026-08"}


def test_few_deliveries(made: list[Delivery]) -> None:
    """The history of a source at once, then month by month."""
    assert len({(one.source, one.known_on, one.replaces) for one in made}) <= 35 + 14 * 2


AFFILIATION = """
source: afiliaciones
name: { es: Afiliaciones }
file: afiliaciones.csv
purpose: { es: Un ejemplo }
legal: { confidence: proposed }
retention: 1y
columns:
  - { name: tipo, type: code, required: true, values: { "1": dni, "2": cnv, "3": padron } }
  - { name: documento, type: code, required: true }
  - { name: desde, type: date, required: true, formats: ["%d/%m/%Y"] }
  - { name: regimen, type: code }
  - { name: distrito, type: code }
key: [documento]
writes:
  - { table: enrolments, row: { person: { identifier_from: tipo, of: documento }, programme: { constant: X }, since: desde } }
"""
FILES = """
  affiliations:
    source: afiliaciones
    days: padron_day
    only: { insurance: [SIS] }
    facts: [{ fact: regime, options: { gratuito: 9, semicontributivo: 1 } }]
    fill: { regimen: "{regime}", distrito: "{place}" }
  visits: { source: canonico }
"""


def test_a_new_source_of_the_demo_is_a_declaration(tmp_path: Path) -> None:
    """Of people or of what they received: a source, and in `demo.yaml` which rows it has. No Python."""
    folder = tmp_path / "programme"
    shutil.copytree(PROGRAMME, folder)
    (folder / "sources/afiliaciones.yaml").write_text(AFFILIATION, "utf-8")
    text = (
        (folder / "demo.yaml")
        .read_text("utf-8")
        .replace("standard: consejeria-mef2025,", "standard: consejeria-mef2025, file: visits,")
    )
    (folder / "demo.yaml").write_text(text.replace("\nfiles:\n", "\nfiles:" + FILES), "utf-8")
    made = invent(load(folder), tmp_path / "files", ON, regions=["030401"])
    rows = pd.DataFrame(lines_of(made, "afiliaciones"))
    assert set(rows["tipo"]) == {"1", "2", "3"}
    assert rows["desde"].str.fullmatch(r"\d\d/\d\d/20\d\d").all()
    assert rows["distrito"].str.startswith("030401").mean() > 0.5
    assert rows["regimen"].value_counts(normalize=True)["gratuito"] > 0.7
    visits = pd.DataFrame(lines_of(made, "canonico"))
    assert {"99401", "C0011"} <= set(visits["codigo"])
    assert "99401" not in {line["Codigo_Item"] for line in lines_of(made, "his")}


def test_children_are_as_short_and_thin_as_their_districts(programme: Programme, made: list[Delivery]) -> None:
    """What the demo measures, judged by the standards, comes near what was published of the districts."""
    registry = (
        pd.DataFrame(lines_of(made, "padron")).drop_duplicates("NU_DNI_MENOR", keep="last").set_index("NU_DNI_MENOR")
    )
    rows = pd.DataFrame(lines_of(made, "sien"))
    rows = rows[(rows["tipo_doc"] == "1") & rows["num_doc"].isin(registry.index)].join(registry, on="num_doc")
    day, birth = (pd.to_datetime(rows[name]) for name in ("fec_medicion", "FE_NAC_MENOR"))
    told = {"sex": rows["CO_GENERO_MENOR"].map({"1": "M", "2": "F"}), "age": (day - birth).dt.days}
    told |= {
        "weight": rows["peso"].astype(float),
        "height": rows["talla"].astype(float),
        "lying": None,
        "oedema": False,
    }
    scores = zscores(pd.DataFrame(told))
    assert scores.notna().all(axis=None)
    series = pd.read_csv(PROGRAMME / "reference/series.csv.gz", dtype={"place": str})
    mine = series[series["place"].str.startswith(PROVINCE) & (series["place"].str.len() == 6)]
    published = mine.groupby("series")["value"].mean() / 100
    assert (scores["haz"] < -2).mean() == pytest.approx(published["sien-desnutricion-cronica-0-59m"], abs=0.06)
    assert (scores["whz"] < -2).mean() == pytest.approx(published["sien-desnutricion-aguda-0-59m"], abs=0.02)
    haemoglobin = pd.to_numeric(rows["hemoglobina"]).dropna()
    assert 10.5 < haemoglobin.min() < 12.5 < haemoglobin.median()  # observed, high above the sea


def test_subjects_of_other_kinds_live_where_children_do(made: list[Delivery]) -> None:
    """Villages and premises once each, households by their members, girls of 12 to 17."""
    villages, premises = ([line[name] for line in lines_of(made, source)] for source, name in (
        ("centros-poblados", "centro_poblado"), ("pncm-locales", "cod_local"),
    ))  # fmt: skip
    assert len(villages) == len(set(villages)) and len(premises) == len(set(premises)) > 3
    assert {line["centro_poblado"] for line in lines_of(made, "agua")} <= set(villages)
    households, paid = (
        {line["cod_hogar"] for line in lines_of(made, source)} for source in ("juntos", "juntos-abonos")
    )
    assert len(paid - households) < 0.15 * len(paid)  # those whose child had no document when it entered
    ages = [
        int(line["fec_asignacion"][:4]) - int(line["fec_nacimiento"][:4]) for line in lines_of(made, "adolescentes")
    ]
    assert min(ages) > 10 and max(ages) < 19
