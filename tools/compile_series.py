"""The public series of `programmes/pe-dit`, compiled from a folder of raw public files into one table.

    python tools/compile_series.py RAW [--out programmes/pe-dit/reference/series.csv.gz]

One row a series, place and period: series, place, period, value, low, high, numerator, denominator. What each series is,
who issued it, its date and caveat: `programmes/pe-dit/series.yaml`. Same files in, same bytes out.
"""

import argparse
import gzip
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

COUNTRY = "PE"
COLUMNS = ["series", "place", "period", "value", "low", "high", "numerator", "denominator"]
CUTS = {"meta_v1": "2026-05", "meta_v2": "2026-11", "meta_unica": "2026-11"}
"""The cut of each verification of the agreements 2025-2026 (31 May and 30 November, third-party reading)."""
OTHER_UNITS = {"LIMA METROPOLITANA": "1501", "LIMA PROVINCIAS": "15P", "PERU": COUNTRY}
"""Lima Metropolitana is the province; what is left of the region has no code of the directory: 15P is ours."""


def raw_table(raw: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(raw / name, dtype=str, keep_default_na=False)


def plain(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.upper().strip())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def regions(raw: Path) -> dict[str, str]:
    table = raw_table(raw, "territorio/ubigeo_inei_2025.csv.gz")
    codes = {plain(name): code[:2] for name, code in zip(table["departamento"], table["ubigeo"], strict=True)}
    return codes | OTHER_UNITS


def districts(raw: Path) -> dict[tuple[str, str, str], str]:
    table = raw_table(raw, "territorio/ubigeo_inei_2025.csv.gz")
    names = zip(table["departamento"], table["provincia"], table["distrito"], strict=True)
    return {tuple(map(plain, three)): code for three, code in zip(names, table["ubigeo"], strict=True)}  # type: ignore[misc]


def rows(series: str, place: pd.Series, period: object, value: pd.Series, **more: pd.Series) -> pd.DataFrame:
    table = pd.DataFrame({"series": series, "place": place, "period": period, "value": value, **more})
    return table.reindex(columns=COLUMNS)[table["value"].ne("") & table["value"].notna() & table["place"].notna()]


def nutrition(raw: Path) -> Iterator[pd.DataFrame]:
    """Anaemia and growth among children evaluated in facilities, 2023, by district, region and country."""
    region = regions(raw)
    wanted = {
        "anemia_6_35m": [("anemia", "anemia_total", "n_evaluados")],
        "anemia_6_59m": [("anemia", "anemia_total", "n_evaluados")],
        "antropometria_0_35m": [("desnutricion-cronica", "desn_cronica", "te_evaluados")],
        "antropometria_0_59m": [
            ("desnutricion-cronica", "desn_cronica", "te_evaluados"),
            ("sobrepeso", "sobrepeso", "pt_evaluados2"),
            ("desnutricion-aguda", "desn_aguda", "pt_evaluados"),
        ],
    }
    for group, series in wanted.items():
        ages = group.split("_", 1)[1].replace("_", "-")
        for level in ("dep.csv", "distrito.csv.gz"):
            table = raw_table(raw, f"sien/sien_his_2023_{group}_{level}")
            code = table["ubigeo"] if "ubigeo" in table else table["departamento"].map(plain).map(region)
            for name, column, evaluated in series:
                counts = {"numerator": table[f"{column}_n"], "denominator": table[evaluated]}
                value = table[f"{column}_pct"]
                yield rows(f"sien-{name}-{ages}", code, "2023", value, **counts)


def poverty(raw: Path) -> Iterator[pd.DataFrame]:
    table = raw_table(raw, "pobreza/pobreza_monetaria_distrito_2018.csv.gz")
    limits = {"low": table["conf_95_inf"], "high": table["conf_95_sup"]}
    yield rows("pobreza-monetaria", table["ubigeo"], "2018", table["pobreza_monetaria"], **limits)


def budget(raw: Path) -> Iterator[pd.DataFrame]:
    """The nutrition programme of the regional governments, anaemia of the survey beside it, and spending of municipalities."""
    region = regions(raw)
    table = raw_table(raw, "presupuesto/pan_pp0001_gob_regional_2012_2021.csv")
    code = table["Region"].map(plain).map(region)
    for name, column in (("pim", "PIM"), ("devengado", "Devengado")):
        yield rows(f"pan-{name}", code, table["anio"], table[column])
    share = pd.to_numeric(table["indice_anemia"], errors="coerce") * 100
    yield rows("endes-MEF-4910", code, table["anio"], share.round(1))
    targets = raw_table(raw, "presupuesto/metas_regionales_anemia.csv")
    targets = targets[pd.to_numeric(targets["indice_objetivo"]) > 0]  # a zero stands for years without a target
    code = targets["Nombre_region"].map(plain).map(region)
    yield rows("meta-anemia-6-35m", code, targets["ano"], (pd.to_numeric(targets["indice_objetivo"]) * 100).round(1))
    towns = raw_table(raw, "presupuesto/gasto_municipalidades_2024_2025.csv.gz")
    whole = towns.groupby(["UBI_DIST", "Año"], as_index=False)[["PIM", "Devengado"]].agg(
        lambda cells: str(sum(int(cell or 0) for cell in cells))
    )
    for name, column in (("pim", "PIM"), ("devengado", "Devengado")):
        yield rows(f"municipalidades-{name}", whole["UBI_DIST"], whole["Año"], whole[column])


def agreements(raw: Path) -> Iterator[pd.DataFrame]:
    """Baselines and targets of the agreements 2025-2026, one series an indicator and kind."""
    table = raw_table(raw, "fed/fed_metas_2025_2026_largo.csv")
    table["place"] = table["region"].map(plain).map(regions(raw))
    for code, mine in table.groupby("codigo"):
        yield rows(f"fed-basal-{code}", mine["place"], "2025", mine["basal"])
        for column, period in CUTS.items():
            yield rows(f"fed-meta-{code}", mine["place"], period, mine[column])


def day_care(raw: Path) -> Iterator[pd.DataFrame]:
    """Premises of the home visits and of day care, by district; its users of the country by month."""
    places = districts(raw)
    table = raw_table(raw, "pncm/cunamas_locales_por_distrito.csv")
    names = zip(table["departamento"], table["provincia"], table["distrito"], strict=True)
    code = pd.Series([places.get(tuple(map(plain, three))) for three in names])  # type: ignore[call-overload]
    for name, column in (("saf", "n_locales_saf"), ("scd", "n_locales_scd")):
        yield rows(f"cuna-mas-locales-{name}", code, "2026", table[column])
    for who, file in (
        ("ninos", "cunamas_ninos_tendencia_mensual_2023_2026"),
        ("gestantes", "cunamas_gestantes_tendencia_mensual_2024_2026"),
    ):
        table = raw_table(raw, f"pncm/{file}.csv")
        period = table["periodo"].str[:4] + "-" + table["periodo"].str[4:]
        yield rows(f"cuna-mas-{who}", pd.Series(COUNTRY, table.index), period, table[who])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("--out", type=Path, default=Path("programmes/pe-dit/reference/series.csv.gz"))
    asked = parser.parse_args()
    parts = [part for kind in (nutrition, poverty, budget, agreements, day_care) for part in kind(asked.raw)]
    whole = pd.concat(parts).sort_values(["series", "place", "period"], kind="stable")
    if doubled := whole[whole.duplicated(["series", "place", "period"])].to_dict("records"):
        raise SystemExit(f"twice: {json.dumps(doubled[:5])}")
    asked.out.write_bytes(gzip.compress(whole.to_csv(index=False, lineterminator="\n").encode(), 9, mtime=0))
    print(whole.groupby("series")["place"].agg(["size", "nunique"]).to_string())


if __name__ == "__main__":
    main()
