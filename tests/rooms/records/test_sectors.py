"""The other sectors' files: each sample loads, its bad row is refused, and every other row gives what it should."""

import pytest

from tests.rooms.records.conftest import DELIVERED, SAMPLES, load_samples
from winay.programme.load import Programme
from winay.records import refused
from winay.records.as_of import Known, known_by
from winay.records.load import load
from winay.workspace.folder import create

# of the children and mothers of the other samples, by the day of birth
ANA, BETO, RN, MOTHER = "child 2026-04-10", "child 2026-04-12", "child 2026-01-15", "pregnancy 2026-04-10"
PREMISES, HOME, VILLAGE, TOWN = (
    "premises 2024-03-01", "household 2024-05-10", "settlement 2025-01-01", "settlement 2025-02-01",
)  # fmt: skip
# source -> file, column of its bad row, services that its good rows prove: of whom, which, days
SECTORS: dict[str, tuple[str, str, list[str]]] = {
    "pncm-locales": ("pncm_locales.csv", "ubigeo", []),
    "pncm-visitas": (
        "pncm_visitas.csv", "fec_visita",
        [f"{ANA} saf-visita 06-10", f"{ANA} saf-visita 06-17", f"{BETO} saf-visita 06-11"],
    ),
    "pncm-asistencia": ("pncm_asistencia.csv", "dias", [f"{RN} scd-semana 05-11"]),
    "pncm-supervisiones": (
        "pncm_supervisiones.csv", "fec_supervision",
        [f"{PREMISES} supervision-alimentos 02-20", f"{PREMISES} supervision-alimentos 08-14"],
    ),
    "adolescentes": ("adolescentes.csv", "dni", []),
    "juntos": ("juntos_hogares.csv", "fec_afiliacion", []),
    "juntos-abonos": (
        "juntos_abonos.csv", "concepto",
        [f"{HOME} juntos-base 06-15", f"{HOME} juntos-tpi 06-15", f"{ANA} juntos-tpi 06-15",
         "household 2025-07-01 juntos-base 08-14"],
    ),
    "siagie": ("siagie_inicial.csv", "grado", [f"{ANA} matricula-cuna 08-03"]),
    "centros-poblados": ("centros_poblados.csv", "centro_poblado", []),
    "agua": (
        "agua_muestras.csv", "resultado",
        [f"{VILLAGE} agua-muestra 06-05", f"{VILLAGE} agua-adecuada 06-05", f"{VILLAGE} agua-muestra 07-06",
         f"{VILLAGE} agua-no-adecuada 07-06", f"{TOWN} agua-muestra 06-09", f"{TOWN} agua-no-adecuada 06-09"],
    ),
    "cem": ("cem_casos.csv", "num_doc", [f"{MOTHER} cem-aviso 01-10", f"{MOTHER} cem-atencion 01-16"]),
    "proteccion": (
        "proteccion_casos.csv", "actuacion",
        [f"{ANA} demuna-aviso 07-01", f"{ANA} demuna-caso 07-09", f"{RN} upe-aviso 07-02",
         f"{BETO} defensa-solicitud 07-03", f"{BETO} defensa-caso 07-20"],
    ),
    "sis": ("sis_afiliados.csv", "tipo_doc", [f"{ANA} sis-afiliacion 04-20", f"{BETO} sis-afiliacion 06-01"]),
    "sien": ("sien_mediciones.csv", "hemoglobina", [f"{ANA} sien-medicion 09-10", f"{RN} sien-medicion 09-11"]),
}  # fmt: skip


def proven(known: Known, peru: Programme) -> set[str]:
    """`child 2026-04-10 saf-visita 06-10`."""
    who = {row["subject"]: f"{row['kind']} {row['birth']}" for row in known.subjects.to_pylist()}
    names = {number: name for name, number in peru.service_numbers.items()}
    return {f"{who[r['subject']]} {names[r['service']]} {r['day']:%m-%d}" for r in known.services.to_pylist()}


@pytest.fixture(scope="module")
def both(peru: Programme, tmp_path_factory: pytest.TempPathFactory) -> tuple[Known, Known]:
    """What is known before the other sectors' files, and with them."""
    folder = tmp_path_factory.mktemp("sectors")
    ws = create(folder / "ws", key=folder / "key")
    load_samples(ws, peru)
    before = known_by(ws, peru, DELIVERED)
    for source, (name, _, _) in SECTORS.items():
        file = load(ws, peru, source, [SAMPLES / name], DELIVERED).files[0]
        assert (file.refused, file.accepted) == (1, file.records - 1), source
    bad = [one.column for one in refused.listed(ws, names=True)]
    assert sorted(bad) == sorted(column for _, column, _ in SECTORS.values())
    return before, known_by(ws, peru, DELIVERED)


@pytest.fixture
def known(both: tuple[Known, Known]) -> Known:
    return both[1]


def test_every_row_gives_what_it_should(both: tuple[Known, Known], peru: Programme) -> None:
    """Nothing more, but for what a measurement proves by its values."""
    before, known = both
    registered = {f"{ANA} saf-inicio 06-03", f"{RN} scd-inicio 05-10", f"{ANA} padron-inscripcion 04-14"}
    assert registered <= proven(before, peru)
    new = proven(known, peru) - proven(before, peru)
    measured = {one for one in new if one.split()[2] in peru.measures}
    assert new - measured == {one for _, _, services in SECTORS.values() for one in services}


def test_rolls_list_subjects_of_their_kinds(known: Known) -> None:
    at = {row["subject"]: row["place"] for row in known.residences.to_pylist()}
    rows = [
        (row["kind"], str(row["birth"]), at[row["subject"]])
        for row in known.subjects.to_pylist()
        if row["subject"] in at
    ]
    assert sorted(row for row in rows if row[0] not in ("child", "pregnancy")) == [
        ("adolescent", "2010-11-30", "030101"),
        ("adolescent", "2012-05-04", "010101"),
        ("household", "2024-05-10", "010101"),
        ("household", "2025-07-01", "030101"),
        ("household", "2025-07-01", "030102"),
        ("premises", "2024-03-01", "010101"),
        ("premises", "2025-02-15", "030101"),
        ("settlement", "2025-01-01", "010101"),
        ("settlement", "2025-02-01", "030101"),
    ]


def test_who_is_enrolled_where(known: Known) -> None:
    """Households and their members in Juntos, children in early education and in the public insurance."""
    who = {row["subject"]: f"{row['kind']} {row['birth']}" for row in known.subjects.to_pylist()}
    rows = {(who[r["subject"]], r["programme"], str(r["since"]), str(r["until"])) for r in known.enrolments.to_pylist()}
    assert {row for row in rows if row[1] != "PNCM"} == {
        (HOME, "JUNTOS", "2024-05-10", "None"),
        (ANA, "JUNTOS", "2026-06-01", "None"),
        ("household 2025-07-01", "JUNTOS", "2025-07-01", "None"),
        (RN, "JUNTOS", "2026-03-01", "None"),
        (ANA, "EDUCACION-INICIAL", "2026-08-03", "None"),
        (RN, "EDUCACION-INICIAL", "2026-08-03", "2026-09-01"),
        (ANA, "SIS", "2026-04-20", "None"),
        (BETO, "SIS", "2026-06-01", "2026-08-31"),
    }
