"""A weight, a height and a haemoglobin, as delivered, become services: under the standards and under each named rule."""

import datetime as dt
from collections.abc import Callable

import pytest

from tests.rooms.records.conftest import child
from winay.programme.load import Programme
from winay.records.as_of import known_by
from winay.records.load import Report
from winay.workspace.folder import Workspace


@pytest.mark.parametrize(
    ("measured", "proves"),
    [
        ({"talla": "75.7"}, {"talla-medida"}),
        ({"talla": "69.0"}, {"talla-medida", "desnutricion-cronica"}),
        ({"talla": "120.0"}, set()),  # not plausible at one year
        ({"talla": "75.7", "peso": "7.2"}, {"talla-medida", "peso-talla-medido", "desnutricion-aguda"}),
        ({"talla": "75.7", "peso": "12.5"}, {"talla-medida", "peso-talla-medido", "sobrepeso-obesidad"}),
        (
            {"hemoglobina": "11.9"},  # at 3400 m: moderate under the old rule, mild under the new
            {"hemoglobina-medida-mef", "anemia-medida-mef", "hemoglobina-medida-nts213", "anemia-medida-nts213"},
        ),
        ({"hemoglobina": "13.5"}, {"hemoglobina-medida-mef", "hemoglobina-medida-nts213"}),
    ],
)
def test_what_a_measurement_proves(
    deliver: Callable[..., Report], ws: Workspace, peru: Programme, measured: dict[str, str], proves: set[str]
) -> None:
    """A boy of twelve months whose district lies at 3400 m."""
    born = {"FE_NAC_MENOR": "2025-09-10", "CO_GENERO_MENOR": "1", "CO_UBIGEO_INEI": "030101"}
    deliver("padron", [child("P1", NU_DNI_MENOR="00770001", **born)])
    deliver("lugares", [{"ubigeo": "030101", "region": "R", "provincia": "P", "distrito": "D", "altitud": "3400"}])
    visit = {
        "tipo_doc": "dni",
        "documento": "00770001",
        "contacto": "1",
        "fecha": "2026-09-10",
        "codigo": "X",
        "tipo": "D",
    }
    deliver("canonico", [visit | measured])
    numbers = {number: name for name, number in peru.service_numbers.items()}
    known = known_by(ws, peru, dt.date(2026, 10, 31))
    entered = {"padron-inscripcion"}  # by the registry itself
    assert {numbers[n] for n in known.services["service"].to_pylist()} - entered == proves
