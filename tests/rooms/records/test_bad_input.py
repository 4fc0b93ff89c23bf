"""Bad input is a normal day: a table of files, what is accepted, which lines are refused and why."""

import csv
import datetime as dt
import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.rooms.records.conftest import child, visit, written
from winay.programme.load import Programme
from winay.records import refused, witness
from winay.records.load import Report, load
from winay.records.readers import delimited
from winay.records.readers.opening import Limits
from winay.workspace.folder import Workspace

Deliver = Callable[..., Report]
DAY = dt.date(2026, 10, 1)
GOOD = visit("1", "2026-06-10", "90723")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINAY_LANG", "en")


CELLS = [
    ("his", GOOD, "Fecha_Atencion", "2026-02-31", "not_a_date"),
    ("his", GOOD, "Fecha_Atencion", "31/05/2026", "not_a_date"),
    ("his", GOOD, "Fecha_Atencion", "2026-3-4", "not_a_date"),
    ("his", GOOD, "Fecha_Atencion", "2026-10-02", "future"),
    ("his", GOOD, "Fecha_Atencion", "1900-01-01", "too_early"),
    ("his", GOOD, "Fecha_Atencion", "", "blank"),
    ("his", GOOD, "Tipo_Diagnostico", "X", "unknown_code"),
    ("his", GOOD, "Codigo_Item", "no es un codigo", "pattern"),
    ("his", GOOD, "Valor_Lab", "DEMASIADO", "pattern"),
    ("his", GOOD, "Hemoglobina", "NaN", "not_a_number"),
    ("his", GOOD, "Hemoglobina", "inf", "not_a_number"),
    ("his", GOOD, "Hemoglobina", "1e1", "not_a_number"),
    ("his", GOOD, "Hemoglobina", "10;4", "not_a_number"),
    ("his", GOOD, "Hemoglobina", "105", "out_of_range"),
    ("his", GOOD, "Peso", "-5", "out_of_range"),
    ("padron", child("P1"), "CO_UBIGEO_INEI", "30101", "pattern"),  # its first zero is lost
    ("padron", child("P1"), "NU_DNI_MENOR", "140132", "pattern"),
    ("padron", child("P1"), "TI_SEGURO_MENOR", "1;9", "unknown_code"),
    ("padron", child("P1"), "FE_NAC_MENOR", "2027-01-01", "future"),
    ("cnv", {"NU_CNV": "9900000001", "FE_NACIDO": "2026-04-10"}, "PESO_NACIDO", "3.1", "not_a_number"),
    ("cnv", {"NU_CNV": "9900000001", "FE_NACIDO": "2026-04-10"}, "DUR_EMB_PARTO", "93", "out_of_range"),
    ("dni", {"dni": "00770001", "fec_emision": "2026-05-01"}, "dni", "=1+1", "pattern"),
]


@pytest.mark.parametrize(("source", "row", "column", "value", "reason"), CELLS, ids=[f"{c[2]}={c[3]}" for c in CELLS])
def test_a_bad_cell_is_refused_and_the_row_beside_it_loads(
    deliver: Deliver, ws: Workspace, source: str, row: dict[str, str], column: str, value: str, reason: str
) -> None:
    other = {name: said.replace("P1", "P2").replace("9900000001", "9900000002") for name, said in row.items()}
    file = deliver(source, [row | {column: value}, other | ({"Id_Cita": "2"} if source == "his" else {})]).files[0]
    assert (file.accepted, file.refused, file.reasons) == (1, 1, {reason: 1})
    (bad,) = refused.listed(ws, names=True)
    assert (bad.line, bad.column, bad.found, bad.reason) == (2, column, value, reason)
    assert reason in refused.REASONS and (bad.expected or reason == "blank")


def lines_of(peru: Programme, *rows: dict[str, str]) -> list[str]:
    return written(peru, "his", list(rows)).splitlines()


def test_shapes_of_lines(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    """Each bad line is named by the physical line where it starts; quoted line breaks count; blank lines are nothing."""
    head, *good = lines_of(peru, *(visit(str(n), "2026-06-10", "90723") for n in range(1, 9)))
    text = [
        head,
        good[0],
        good[1] + ",more",
        "",
        good[2].replace("501", '"two\nlines"', 1),
        '"' + good[3],
        good[4].replace("90723", "907\x0023"),
    ]
    text += [good[5].replace("90723", "907\r23"), good[6], good[7].rsplit(",", 30)[0]]
    text[4] = text[4].replace("90001", '"90001"')
    file = deliver("his", "\n".join(text)).files[0]
    told = [(row.line, row.reason) for row in refused.listed(ws)]
    assert told == [(3, "fields"), (6, "open_quote"), (7, "nul"), (8, "carriage_return"), (10, "cut")]
    assert file.records == file.accepted + file.refused + file.duplicate


def test_lines_do_not_depend_on_the_blocks(peru: Programme, tmp_path: Path) -> None:
    """The same records and lines whether the file is read at once or in blocks that cut every line."""
    head, *good = lines_of(peru, *(visit(str(n), "2026-06-10", "90723") for n in range(1, 30)))
    for n in (3, 8, 13):
        good[n] = good[n].replace("90001", '"900\n01"')
        good[n + 2] = '"' + good[n + 2]
        good[n + 3] += ","
    path = tmp_path / "his.csv"
    path.write_text("\n".join([head, *good]))

    def told(block: int) -> tuple[list[int], list[object], list[tuple[int, str]]]:
        chunks = list(delimited.read(path, peru.sources["his"], block=block).chunks)
        lines = [line for chunk in chunks for line in chunk.lines.tolist()]
        names = [name for chunk in chunks for name in chunk.columns()["Id_Cita"].to_pylist()]
        return lines, names, [bad[:2] for chunk in chunks for bad in chunk.misshapen()]

    whole = told(1 << 20)
    assert len(whole[0]) + len(whole[2]) == 29
    assert all(told(block) == whole for block in (1500, 1777, 2999))


def rejected_files(peru: Programme) -> dict[str, tuple[bytes, str]]:
    text = written(peru, "his", [GOOD])
    head = text.splitlines()[0]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.csv", text)
        archive.writestr("b.csv", text)
    return {
        "empty": (b"", "the file is empty"),
        "header only": (head.encode(), "no records"),
        "header and blank lines": (head.encode() + b"\n\n\n", "no records"),
        "tabs": (text.replace(",", "\t").encode(), "separated by"),
        "latin-1": (text.replace("90723", "ÑANDÚ").encode("latin-1"), "not UTF-8"),
        "utf-16": (text.encode("utf-16"), "utf-16"),
        "two columns with one name": (text.replace("Lote", "Id_Cita", 1).encode(), "there twice"),
        "a column misspelt": (text.replace("Codigo_Item", "Codigo_Itm", 1).encode(), 'is "Codigo_Itm" meant?'),
        "no header": (text.splitlines()[1].encode() + b"\n", "missing"),
        "truncated gzip": (gzip.compress(text.encode() * 50)[:-20], "cut or damaged"),
        "damaged gzip": (gzip.compress(os.urandom(9000))[:5000] + b"\0" * 50, "cut or damaged"),
        "zip of two": (zipped.getvalue(), "2 files"),
        "damaged zip": (zipped.getvalue()[:60], "damaged"),
        "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "UTF-8"),
        "zeros": (b"\0" * 5000, "text"),
        "old Mac": (text.replace("\n", "\r").encode(), "CR"),
    }  # fmt: skip


REJECTED = """empty, header only, header and blank lines, tabs, latin-1, utf-16, two columns with one name, a column misspelt,
no header, truncated gzip, damaged gzip, zip of two, damaged zip, a picture, zeros, old Mac"""


@pytest.mark.parametrize("name", REJECTED.replace("\n", " ").split(", "))
def test_a_rejected_file_says_so_and_loads_nothing(deliver: Deliver, ws: Workspace, peru: Programme, name: str) -> None:
    content, told = rejected_files(peru)[name]
    report = deliver("his", content)
    assert not report.files and len(report.rejected) == 1
    assert told in report.rejected[0].told()
    assert ws.ledger.loads() + ws.ledger.loads(done=False) == []
    assert deliver("his", [GOOD], name="good.csv").total("accepted") == 1


def test_what_is_not_a_file(ws: Workspace, peru: Programme, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "good.csv").write_text(written(peru, "his", [GOOD]))
    (tmp_path / "link.csv").symlink_to(tmp_path / "good.csv")
    names = ["folder", "pipe", "link.csv", "nothing.csv", "good.csv"]
    report = load(ws, peru, "his", [tmp_path / name for name in names], DAY)
    told = [problem.told() for problem in report.rejected]
    assert [any(word in line for line in told) for word in ("folder", "ordinary", "link", "no such")] == [True] * 4
    assert report.total("accepted") == 1


def test_limits_come_before_work(ws: Workspace, peru: Programme, tmp_path: Path) -> None:
    path = tmp_path / "his.csv"
    path.write_bytes(gzip.compress(written(peru, "his", [GOOD]).encode() + b" " * 20_000_000))
    for limits in (Limits(bytes=100), Limits(ratio=10), Limits(unpacked=10**6), Limits(columns=10)):
        assert load(ws, peru, "his", [path], DAY, limits=limits).rejected


def test_workbooks(deliver: Deliver, ws: Workspace, peru: Programme, tmp_path: Path) -> None:
    """Text and dates are read as declared; a code that the spreadsheet made a number has lost its zero, and is refused."""
    path = tmp_path / "padron.xlsx"
    names = [column.name for column in peru.sources["padron"].columns]
    with xlsxwriter.Workbook(path) as book:
        sheet, when = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(1, 0, names)
        for number, place in ((2, "030101"), (4, 30101)):
            sheet.write(number, names.index("CO_PADRON_NOMINAL"), f"P{number}")
            sheet.write(number, names.index("CO_UBIGEO_INEI"), place)
            sheet.write_datetime(number, names.index("FE_NAC_MENOR"), dt.datetime(2026, 4, 10), when)
    file = deliver("padron", path.read_bytes(), name="padron.csv").files[0]
    assert (file.accepted, file.reasons) == (1, {"pattern": 1})
    (bad,) = refused.listed(ws, names=True)
    assert (bad.line, bad.found) == (5, "30101")
    assert witness.raw(ws, 1, 5).startswith(b"P4,")


def test_refused_rows_go_out_are_corrected_and_come_back(
    deliver: Deliver, ws: Workspace, peru: Programme, tmp_path: Path
) -> None:
    rows = [GOOD, visit("2", "2026-06-31", "90723"), visit("3", "2026-06-12", "90723", Tipo_Diagnostico="X")]
    deliver("his", written(peru, "his", rows, ";"))
    path = tmp_path / "rechazados.csv"
    assert refused.export(ws, peru, "his", path) == 2
    table = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert [(row["_line"], row["_column"], row["_found"]) for row in table] == [
        ("3", "Fecha_Atencion", "2026-06-31"),
        ("4", "Tipo_Diagnostico", "X"),
    ]
    path.write_text(path.read_text("utf-8-sig").replace("2026-06-31", "2026-06-30"))
    report = refused.retry(ws, peru, "his", path, DAY)
    assert (report.total("accepted"), report.total("refused")) == (1, 1)
    left = [(row.load, row.reason) for row in refused.listed(ws)]
    assert (2, "unknown_code") in left and (1, "not_a_date") not in left


def test_witnesses(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    """The lines behind a service, those that prove nothing too, and the delivered bytes."""
    rows = [
        visit("1", "2026-06-10", "90723"),
        visit("1", "2026-06-10", "90713", Id_Correlativo_Item="2"),
        visit("2", "2026-06-12", "90723", Tipo_Diagnostico="P"),
    ]
    text = written(peru, "his", rows, ";").replace("\n", "\r\n")
    deliver("his", gzip.compress(text.encode()))
    persons = [int(n) for n in ws.vault.pseudonyms("his-paciente", ["770001"])]
    lines = witness.lines(ws, peru, persons, DAY)
    assert [(line.file, line.line, bool(line.proves)) for line in lines] == [
        ("his.csv", 3, True),
        ("his.csv", 2, True),
        ("his.csv", 4, False),
    ]
    (proof,) = (line for line in lines if "pentavalente" in line.proves)
    assert proof.fields["code"] == "90723"
    assert witness.raw(ws, proof.load, proof.line) == text.splitlines(keepends=True)[1].encode()


def test_mutated_bytes_never_break_the_accounts(ws: Workspace, peru: Programme, tmp_path: Path) -> None:
    """Bytes changed at random in a good file: rejected with a message, or every record is accounted for."""
    good = written(peru, "his", [visit(str(n), "2026-06-10", "90723") for n in range(20)]).encode()
    path = tmp_path / "mutated.csv"

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, len(good) - 1), st.binary(max_size=3)), min_size=1, max_size=6))
    @example([(121, b"")])  # the header has a column less: no record fits
    def mutated(changes: list[tuple[int, bytes]]) -> None:
        data = bytearray(good)
        for at, new in changes:
            data[at % len(data) : at % len(data) + 1] = new
        path.write_bytes(bytes(data))
        report = load(ws, peru, "his", [path], DAY, dry_run=True)
        for file in report.files:
            assert file.records == file.accepted + file.refused + file.duplicate
        assert len(report.files) + len(report.rejected) == 1
        assert all(problem.told() for problem in report.rejected)

    mutated()
