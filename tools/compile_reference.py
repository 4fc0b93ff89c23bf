"""The shipped reference tables of `programmes/pe-dit`, compiled from a folder of raw public files.

    python tools/compile_reference.py RAW [--out programmes/pe-dit/reference]

RAW holds the files as their carriers publish them (who, where and which version: `reference.yaml` beside the tables):

    territorio/ubigeo_inei_2025.csv.gz              the directory of districts: the spine
    territorio/ubigeo_distrito.csv.gz               codes of the civil registry, area
    territorio/ubigeo_provincia.csv, territorio/ubigeo_departamento.csv
    territorio/ubigeo_reniec_2025.csv.gz            codes of the civil registry of the newest districts
    territorio/indicadores_distrito_fidt2024.csv.gz share of rural population
    pobreza/pobreza_monetaria_distrito_2018.csv.gz  poverty map
    poblacion/poblacion_2020_departamento_edad.csv  single ages, births and pregnancies by region
    establecimientos/establecimientos_publicos_2021.csv.gz

Same files in, same bytes out. The digests in `reference.yaml` are renewed; its words are written by hand.
"""

import argparse
import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd

COUNTRY = "PE"
POPULATION_YEAR = 2025

# The two codes of the province Maynas that became a province of their own, until the eve of Law 30186 (6 May 2014).
GONE = {
    "160109": ("Putumayo", "1601", "2014-05-05"),
    "160114": ("Teniente Manuel Clavero", "1601", "2014-05-05"),
}
CAME_FROM = {
    "1608": ["160109", "160114"],
    "160801": ["160109"],
    "160802": ["160109"],
    "160803": ["160114"],
    "160804": ["160109"],
}
SINCE = dict.fromkeys(CAME_FROM, "2014-05-06")

# Below this number the register of facilities was the ministry's own: none of its rows names another owner.
MINISTRY_REGISTER = 8000
OTHER_OWNERS = {
    "ESSALUD": r"ESSALUD|ES SALUD",
    "FFAA/PNP": r"PNP|POLICI|NAVAL|MILITAR|FUERZA AEREA|BRIGADA|EJERCITO|BATALLON|CAPITANIA|BING ",
    "INPE": r"INPE|PENAL\b|PENITENCIARI",
    "MUNICIPAL": r"HOSPITAL MUNICIPAL|GERIATRICO MUNICIPAL",
    "OTRO": r"UNIVERSITARI|^CLINICA|MEGASALUD|SOUTHERN",
}


def raw_table(raw: Path, name: str) -> pd.DataFrame:
    """A raw file with every cell as text (codes keep their zeros), empty where nothing was written."""
    return pd.read_csv(raw / name, dtype=str, keep_default_na=False)


def numbers(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce")


def quintiles(poverty: pd.DataFrame) -> pd.Series:
    """Quintile 1 (poorest) to 5 inside each region, by cumulative population: 1 and 2 hold 40 % of the region.

    Districts stand from the poorest down: estimate, upper end of its interval, then the code in ascending order.
    A district's quintile is that of the first person in it: the share of the region living in districts before it.
    """
    order = poverty.sort_values(
        ["region", "poverty_2018", "poverty_2018_high", "code"], ascending=[True, False, False, True]
    )
    people = order.groupby("region")["people"]
    before = (people.cumsum() - order["people"]) / people.transform("sum")
    return np.minimum((before * 5).astype(int) + 1, 5).astype("Int64").reindex(poverty.index)


def poverty_by_district(raw: Path) -> pd.DataFrame:
    table = raw_table(raw, "pobreza/pobreza_monetaria_distrito_2018.csv.gz")
    poverty = pd.DataFrame(
        {
            "code": table["ubigeo"],
            "region": table["ubigeo"].str[:2],
            "people": numbers(table["pob_2020"]),
            "poverty_2018": numbers(table["pobreza_monetaria"]).round(2),
            "poverty_2018_low": numbers(table["conf_95_inf"]),
            "poverty_2018_high": numbers(table["conf_95_sup"]),
            "poverty_group": numbers(table["grupo_robusto_nacional"]).astype("Int64"),
        }
    )
    return poverty.assign(quintile_regional_40=quintiles(poverty)).drop(columns=["region", "people"])


def districts(raw: Path) -> pd.DataFrame:
    spine = raw_table(raw, "territorio/ubigeo_inei_2025.csv.gz")
    older = raw_table(raw, "territorio/ubigeo_distrito.csv.gz")
    older = older[older["inei"] != ""].set_index("inei")
    rural = raw_table(raw, "territorio/indicadores_distrito_fidt2024.csv.gz").set_index("ubigeo")
    code = spine["ubigeo"]
    share = numbers(code.map(rural["v37_P_Población_rural"])).round(3)
    table = pd.DataFrame(
        {
            "code": code,
            "name": spine["distrito"],
            "level": "district",
            "parent": code.str[:4],
            "reniec": code.map(older["reniec"]).fillna(""),
            "capital": spine["capital_legal"],
            "altitude": numbers(spine["altitud"]).round().astype("Int64"),
            "latitude": numbers(spine["latitud"]).round(5),
            "longitude": numbers(spine["longitud"]).round(5),
            "area_km2": numbers(code.map(older["superficie"])).round(2),
            f"population_{POPULATION_YEAR}": numbers(spine["poblacion"]).astype("Int64"),
            "rural_share": share,
            "rural": np.where(share > 0.5, "yes", "no"),
        }
    )
    table["reniec"] = table["reniec"].where(table["reniec"] != "", newest_reniec(raw, spine))
    return table.merge(poverty_by_district(raw), on="code", how="left")


def newest_reniec(raw: Path, spine: pd.DataFrame) -> pd.Series:
    """Civil registry codes by name, for the districts whose row in the older table lacks one."""
    listed = raw_table(raw, "territorio/ubigeo_reniec_2025.csv.gz").rename(columns={"ubigeo": "reniec"})
    uncoded = raw_table(raw, "territorio/ubigeo_distrito.csv.gz").query("inei == ''")
    registry = pd.concat([listed, uncoded], ignore_index=True)
    by_name = registry.set_index(plain_name(registry))["reniec"]
    return plain_name(spine).map(by_name[~by_name.index.duplicated()]).fillna("")


def plain_name(table: pd.DataFrame) -> pd.Series:
    """`departamento/provincia/distrito` in capitals without accents."""
    name = table["departamento"] + "/" + table["provincia"] + "/" + table["distrito"]
    return name.str.upper().str.normalize("NFD").str.replace(r"[\u0300-\u036f]", "", regex=True)


def uppers(raw: Path, name: str, digits: int, level: str, below: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Provinces (4 digits) or regions (2): the capital's altitude and position, the population of their districts."""
    table = raw_table(raw, name)
    code = table["inei"].str[:digits]
    people = below.groupby(below["code"].str[:digits])[f"population_{POPULATION_YEAR}"].sum()
    return pd.DataFrame(
        {
            "code": code,
            "name": code.map(names),
            "level": level,
            "parent": code.str[:2] if digits == 4 else COUNTRY,
            "reniec": table["reniec"].str[:digits],
            "capital": table["capital"],
            "altitude": numbers(table["altitude"]).round().astype("Int64"),
            "latitude": numbers(table["latitude"]).round(5),
            "longitude": numbers(table["longitude"]).round(5),
            "area_km2": numbers(table["superficie"]).round(2),
            f"population_{POPULATION_YEAR}": code.map(people),
        }
    )


def places(raw: Path) -> pd.DataFrame:
    """One row a code: the country, its regions, provinces and districts, and the codes that are no longer in force."""
    spine = raw_table(raw, "territorio/ubigeo_inei_2025.csv.gz").set_index("ubigeo")
    named = {
        digits: spine[column].groupby(spine.index.str[:digits]).first()
        for digits, column in ((2, "departamento"), (4, "provincia"))
    }
    low = districts(raw)
    provinces = uppers(raw, "territorio/ubigeo_provincia.csv", 4, "province", low, named[4])
    regions = uppers(raw, "territorio/ubigeo_departamento.csv", 2, "region", low, named[2])
    people = f"population_{POPULATION_YEAR}"
    country = pd.DataFrame(
        [{"code": COUNTRY, "name": "Perú", "level": "country", "capital": "Lima", people: low[people].sum()}]
    )
    gone = pd.DataFrame(
        [
            {"code": code, "name": name, "level": "district", "parent": parent, "until": until}
            for code, (name, parent, until) in GONE.items()
        ]
    )
    table = pd.concat([country, regions, provinces, low, gone], ignore_index=True)
    table["since"] = table["code"].map(SINCE)
    table["predecessors"] = table["code"].map({code: ";".join(codes) for code, codes in CAME_FROM.items()})
    rank = table["level"].map({"country": 0, "region": 1, "province": 2, "district": 3})
    first = ["code", "name", "level", "parent", "since", "until", "predecessors", "reniec", "capital"]
    return table.iloc[np.lexsort((table["code"], rank))][[*first, *table.columns.difference(first, sort=False)]]


def providers(raw: Path) -> pd.DataFrame:
    """One row a public facility. `ambito` 1: ministry or regional government; 2: another owner; empty: not known."""
    table = raw_table(raw, "establecimientos/establecimientos_publicos_2021.csv.gz")
    number = table["codigo_renipress"].astype(int)
    networked = ~table["red"].str.startswith("NO PERTENECE")
    ours = (networked | (number < MINISTRY_REGISTER)) & ~table["nombre"].str.upper().str.contains("ESSALUD")
    sector = pd.Series("", index=table.index)
    for owner, pattern in OTHER_OWNERS.items():
        sector = sector.mask((sector == "") & ~ours & table["nombre"].str.upper().str.contains(pattern), owner)
    ministry = table["diresa"].str.startswith("LIMA DIRIS")
    sector = sector.mask(ours, np.where(ministry, "MINSA", "GOBIERNO REGIONAL"))
    return pd.DataFrame(
        {
            "code": number.astype(str),
            "name": table["nombre"].str.split().str.join(" "),
            "category": table["categoria"].replace("SD", ""),
            "place": table["ubigeo_inei"],
            "authority": table["diresa"],
            "network": table["red"].where(networked, ""),
            "sector": sector,
            "ambito": np.where(ours, "1", np.where(sector == "", "", "2")),
            "latitude": numbers(table["latitud"]).round(5),
            "longitude": numbers(table["longitud"]).round(5),
        }
    ).iloc[np.argsort(number.to_numpy(), kind="stable")]


def population(raw: Path, tree: pd.DataFrame) -> pd.DataFrame:
    """One row a district: estimates that give each district its region's shares of 2020. For planning only."""
    region = raw_table(raw, "poblacion/poblacion_2020_departamento_edad.csv").set_index("ubigeo")
    district = tree[(tree["level"] == "district") & tree["until"].isna()]
    people = district[f"population_{POPULATION_YEAR}"].astype(float)
    columns = {f"age_{age}": f"edad_{age}" for age in range(5)} | {
        "births": "nacimientos",
        "pregnancies": "gestantes_esperadas",
    }
    estimate = {
        ours: (people * district["code"].str[:2].map(numbers(region[theirs]) / numbers(region["total"]))).round(2)
        for ours, theirs in columns.items()
    }
    return pd.DataFrame({"place": district["code"], "year": POPULATION_YEAR, **estimate, "quality": "estimated"})


def write(table: pd.DataFrame, path: Path) -> str:
    """The table as gzip without a clock in it; returns the digest of the bytes."""
    text = table.to_csv(index=False, lineterminator="\n").encode()
    data = gzip.compress(text, 9, mtime=0)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "programmes/pe-dit/reference")
    asked = parser.parse_args()
    tree = places(asked.raw)
    tables = {"places": tree, "providers": providers(asked.raw), "population": population(asked.raw, tree)}
    about = asked.out / "reference.yaml"
    words = about.read_text("utf-8")
    for name, table in tables.items():
        digest = write(table, asked.out / f"{name}.csv.gz")
        words = re.sub(rf"(file: {name}\.csv\.gz\n\s+sha256: ).*", rf"\g<1>{digest}", words)
        print(f"{name}: {len(table):,} rows")
    about.write_text(words, "utf-8")


if __name__ == "__main__":
    main()
