"""Raw files with one bad line in a hundred, checked, coded, linked and appended, against a bare DuckDB read of them."""

import datetime as dt
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

from bench.bar import bar, peak_gb
from winay.actions.opening import opened, promised
from winay.core.problems import WinayError
from winay.records.load import load
from winay.workspace import Workspace, create

KNOWN = dt.date(2026, 11, 24)
FILE_LINES = 1_000_000
CODES = ["99381", "99381.01", "90723", "90712", "90670", "90681", "99199.17", "85018", "D509", "C0011", "99401", "Z298"]
BARE = (
    "create or replace table bare as select * from read_csv({files}, header=true, all_varchar=true, null_padding=true)"
)


def write(folder: Path, lines: int, seed: int = 7) -> tuple[list[Path], set[tuple[str, int]]]:
    """Files of the declared layout, and where their bad lines are: (file, physical line)."""
    from winay.programme.locate import programme

    columns = [column.name for column in programme("pe-dit").sources["his"].columns]
    rng, files, bad = np.random.default_rng(seed), [], set()
    for number, start in enumerate(range(0, lines, FILE_LINES)):
        size = min(FILE_LINES, lines - start)
        days = np.datetime64("2024-11-01") + rng.integers(0, 700, size)
        told = days.astype(str)
        wrong = rng.random(size) < 0.01
        told[wrong] = "2026-02-31"
        contact = 10_000_000 + start + np.arange(size) // 2
        facts = {
            "Id_Cita": contact.astype(str),
            "Fecha_Atencion": told,
            "Id_Establecimiento": rng.integers(1, 9000, size).astype(str),
            "Id_Paciente": (contact // 26).astype(str),
            "Codigo_Item": np.array(CODES)[rng.integers(0, len(CODES), size)],
            "Tipo_Diagnostico": np.array(["D", "R", "P"])[rng.choice(3, size, p=[0.9, 0.07, 0.03])],
            "Valor_Lab": np.array(["", "1", "2", "TA"])[rng.choice(4, size, p=[0.6, 0.2, 0.15, 0.05])],
            "Id_Correlativo": (np.arange(size) % 2 + 1).astype(str),
            "Id_Correlativo_Lab": np.full(size, "1"),
            "Fecha_Registro": told,
        }
        filler = {"Anio": "2026", "Mes": "3", "Lote": "A01", "Id_Pais": "PER", "Id_Ups": "303203", "Id_Turno": "M"}
        table = pa.table({c: facts.get(c, np.full(size, filler.get(c, ""))) for c in columns})
        path = folder / f"NOMINAL_TRAMA_NUEVO_{2024 + number // 12}_{number % 12 + 1:02d}.csv"
        csv.write_csv(table, path, csv.WriteOptions(quoting_style="none"))
        files.append(path)
        bad |= {(path.name, int(line)) for line in np.flatnonzero(wrong) + 2}
    return files, bad


def bare(files: list[Path]) -> float:
    """Seconds of the bare read."""
    con = duckdb.connect(config={"threads": 2})
    start = time.perf_counter()
    con.execute(BARE.format(files=[str(file) for file in files]))
    return time.perf_counter() - start


def main(quick: bool) -> None:
    lines = 1_000_000 if quick else 10_000_000
    folder = Path(tempfile.mkdtemp(prefix="winay-bench-"))
    try:
        with ProcessPoolExecutor(1, get_context("spawn")) as other:  # so that the memory is that of loading alone
            files, bad = other.submit(write, folder, lines).result()
            base = other.submit(bare, files).result()
        print(f"base: {BARE.format(files='…')}  {base:.1f} s for {lines:,} lines")
        (folder / "warm").mkdir()
        _load(opened(create(folder / "first", key=folder / "first key").path), write(folder / "warm", 1000)[0])
        ws = opened(create(folder / "workspace", key=folder / "key").path)
        start = time.perf_counter()
        _load(ws, files)
        seconds = time.perf_counter() - start
        named = {(row.file, row.line) for row in ws.ledger.refused()}
        bar(f"loading {lines:,} lines, 1 % bad", seconds / base, 5)
        bar("loading, bad lines not named exactly", len(named ^ bad), 0, "n")
        bar("loading, memory", peak_gb(), 4, "GB")
    finally:
        shutil.rmtree(folder)


def _load(ws: Workspace, files: list[Path]) -> None:
    report = load(ws, promised(ws), "his", files, KNOWN)
    if report.rejected:
        raise WinayError(report.rejected)


if __name__ == "__main__":
    main("--quick" in sys.argv)
