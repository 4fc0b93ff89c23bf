"""A new workspace, the sample files, and a way to write a file of a few lines."""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from winay.programme.load import Programme
from winay.programme.locate import programme
from winay.records.load import Report, load
from winay.workspace.folder import Workspace, create

SAMPLES = Path(__file__).parents[2] / "samples"
FILES = {
    "his": ["NOMINAL_TRAMA_NUEVO_2026_06.csv", "NOMINAL_TRAMA_NUEVO_2026_07.csv"],
    "his-pacientes": ["MaestroPaciente.csv"],
    "padron": ["padron_nominal.csv"],
    "cnv": ["cnv.csv"],
    "dni": ["dni_emision.csv"],
    "lugares": ["distritos.csv"],
    "establecimientos": ["establecimientos.csv"],
    "pncm": ["pncm_usuarios.csv"],
    "salidas": ["salidas.csv"],
    "canonico": ["canonico.csv"],
    "encuesta": ["encuesta.csv"],
    "contexto": ["contexto.csv"],
}
DELIVERED = dt.date(2026, 10, 1)


@pytest.fixture(scope="session")
def peru() -> Programme:
    return programme("pe-dit")


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Callable[[str], Workspace]]:
    """Workspaces by name, all with one key: the same identifier has the same pseudonym in each."""

    def make(name: str) -> Workspace:
        return create(tmp_path / name, key=tmp_path / "key")

    yield make


@pytest.fixture
def ws(new: Callable[[str], Workspace]) -> Workspace:
    return new("ws")


@pytest.fixture
def deliver(ws: Workspace, peru: Programme, tmp_path: Path) -> Callable[..., Report]:
    """Load `name` with these bytes (or text, or rows as dicts) as a file of a source."""

    def delivered(
        source: str,
        content: bytes | str | list[dict[str, str]],
        on: str = "2026-10-01",
        name: str = "",
        **terms: object,
    ) -> Report:
        path = tmp_path / "in" / (name or f"{source}.csv")
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, list):
            content = written(peru, source, content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load(ws, peru, source, [path], dt.date.fromisoformat(on), **terms)  # type: ignore[arg-type]

    return delivered


def written(peru: Programme, source: str, rows: list[dict[str, str]], delimiter: str = ",") -> str:
    """The lines of a file of that source, columns not said left blank."""
    out = io.StringIO()
    table = csv.DictWriter(
        out, [c.name for c in peru.sources[source].columns], restval="", delimiter=delimiter, lineterminator="\n"
    )
    table.writeheader()
    table.writerows(rows)
    return out.getvalue()


def load_samples(
    ws: Workspace, peru: Programme, order: list[str] | None = None, on: dt.date = DELIVERED
) -> list[Report]:
    return [load(ws, peru, source, [SAMPLES / name for name in FILES[source]], on) for source in order or list(FILES)]


def visit(contact: str, day: str, code: str, patient: str = "770001", **more: str) -> dict[str, str]:
    """One line of the flat file."""
    line = {
        "Id_Cita": contact,
        "Fecha_Atencion": day,
        "Id_Establecimiento": "90001",
        "Id_Paciente": patient,
        "Codigo_Item": code,
    }
    stamps = {
        "Tipo_Diagnostico": "D",
        "Id_Correlativo_Item": "1",
        "Id_Correlativo_Lab": "1",
        "Fecha_Registro": day,
        "Fecha_Modificacion": day,
    }
    return line | stamps | more


def child(number: str, birth: str = "2026-04-10", place: str = "010101", **more: str) -> dict[str, str]:
    """One line of the nominal registry."""
    line = {"CO_PADRON_NOMINAL": number, "FE_NAC_MENOR": birth, "CO_UBIGEO_INEI": place}
    return line | {"CO_GENERO_MENOR": "2", "FE_CREA_REGISTRO": birth, "FE_MODI_REGISTRO": birth} | more
