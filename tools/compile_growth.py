"""The WHO Child Growth Standards (2006) as one table of the package, compiled from a folder of raw files.

    python tools/compile_growth.py RAW [--out winay/records/who2006.csv.gz]

RAW holds `lenanthro`, `weianthro`, `wflanthro` and `wfhanthro` (.csv.gz) as the World Health Organization publishes them with
its software: sex (1 male, 2 female), age in days or length or height in cm, and the parameters L, M, S.
Same files in, same bytes out.
"""

import argparse
import gzip
from pathlib import Path

import pandas as pd

TABLES = {
    "lfa": ("lenanthro", "age"),
    "wfa": ("weianthro", "age"),
    "wfl": ("wflanthro", "length"),
    "wfh": ("wfhanthro", "height"),
}


def table(raw: Path, measure: str) -> pd.DataFrame:
    file, at = TABLES[measure]
    rows = pd.read_csv(raw / f"{file}.csv.gz").rename(columns={at: "at"})
    rows["sex"] = rows["sex"].map({1: "M", 2: "F"})
    return rows.assign(measure=measure)[["measure", "sex", "at", "l", "m", "s"]].sort_values(["sex", "at"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("--out", type=Path, default=Path("winay/records/who2006.csv.gz"))
    asked = parser.parse_args()
    whole = pd.concat([table(asked.raw, measure) for measure in TABLES])
    asked.out.write_bytes(gzip.compress(whole.to_csv(index=False, lineterminator="\n").encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
