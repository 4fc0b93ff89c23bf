"""The shipped reference tables hold together: codes, parents, totals, quintiles, and the words about each."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest
import yaml

FOLDER = Path(__file__).parents[1] / "programmes/pe-dit/reference"


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv.gz", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def places() -> pd.DataFrame:
    return table("places")


@pytest.fixture(scope="module")
def in_force(places: pd.DataFrame) -> pd.DataFrame:
    return places[(places["level"] == "district") & (places["until"] == "")]


def test_codes_are_unique_and_parents_exist(places: pd.DataFrame) -> None:
    assert places["code"].is_unique
    assert set(places["parent"]) - set(places["code"]) == {""}
    assert places.loc[places["parent"] == "", "level"].tolist() == ["country"]
    assert places["level"].value_counts().to_dict() == {"district": 1893, "province": 196, "region": 25, "country": 1}


def test_codes_no_longer_in_force_lead_to_their_successors(places: pd.DataFrame) -> None:
    gone = places[places["until"] != ""]
    followed = {old for codes in places["predecessors"] for old in codes.split(";") if old}
    assert set(gone["code"]) == {"160109", "160114"} == followed
    province = places.set_index("code").loc["1608"]
    assert (province["predecessors"], province["parent"], province["since"]) == ("160109;160114", "16", "2014-05-06")


@pytest.mark.parametrize(
    "inei, reniec",
    [("030102", "030104"), ("030103", "030102"), ("070101", "240101"), ("200101", "190101"), ("180107", "170107")],
)
def test_the_two_code_systems_differ(places: pd.DataFrame, inei: str, reniec: str) -> None:
    assert places.set_index("code").loc[inei, "reniec"] == reniec


def test_every_district_in_force_has_one_code_of_the_civil_registry(in_force: pd.DataFrame) -> None:
    assert in_force["reniec"].is_unique
    assert in_force["reniec"].str.fullmatch(r"\d{6}").all()


def test_population_adds_up_level_by_level(places: pd.DataFrame, in_force: pd.DataFrame) -> None:
    people = places[places["until"] == ""].assign(people=lambda t: t["population_2025"].astype(int))
    by_level = people.groupby("level")["people"].sum()
    assert by_level.nunique() == 1
    assert by_level["country"] == 34_350_244
    region = people.set_index("code").loc["03", "people"]
    assert region == in_force.loc[in_force["code"].str[:2] == "03", "population_2025"].astype(int).sum()


def test_poorest_quintiles_hold_40_percent_of_each_region(in_force: pd.DataFrame) -> None:
    """Up to the one district that straddles the line."""
    ranked = in_force[in_force["quintile_regional_40"] != ""]
    assert len(in_force) - len(ranked) == 17  # newer than the poverty map
    assert ranked["quintile_regional_40"].isin(["1", "2"]).sum() == 1253
    people = ranked["population_2025"].astype(float)
    poor = people.where(ranked["quintile_regional_40"].isin(["1", "2"]), 0)
    region = ranked["code"].str[:2]
    share = poor.groupby(region).sum() / people.groupby(region).sum()
    largest = people.groupby(region).max() / people.groupby(region).sum()
    assert (share > 0.33).all()
    assert (share < 0.45 + largest).all()
    assert share[["01", "03"]].between(0.38, 0.43).all()


def test_the_poorer_the_lower_the_quintile(in_force: pd.DataFrame) -> None:
    ranked = in_force[in_force["quintile_regional_40"] != ""]
    ranked = ranked.assign(region=ranked["code"].str[:2], poverty=ranked["poverty_2018"].astype(float))
    ends = ranked.groupby(["region", "quintile_regional_40"])["poverty"].agg(["min", "max"]).reset_index()
    following = ends.groupby("region")["max"].shift(-1)
    assert (ends["min"] >= following)[following.notna()].all()


def test_facilities(places: pd.DataFrame) -> None:
    facilities = table("providers")
    assert facilities["code"].is_unique
    assert facilities["code"].str.fullmatch(r"[1-9]\d*").all()
    assert set(facilities["place"]) <= set(places["code"])
    assert facilities["ambito"].value_counts().to_dict() == {"1": 8205, "": 303, "2": 114}
    hospitals = facilities.set_index("code").loc[["4131", "4838", "7719"]]
    assert set(hospitals["ambito"]) == {"1"}


def test_estimated_children(in_force: pd.DataFrame) -> None:
    children = table("population")
    assert set(children["place"]) == set(in_force["code"])
    assert set(children["quality"]) == {"estimated"}
    ages = children[[f"age_{age}" for age in range(5)]].astype(float).sum().sum()
    assert ages == pytest.approx(2_930_000, rel=0.02)
    two_years = children[children["place"].str[:2].isin(["01", "03"])][["age_0", "age_1"]].astype(float).sum().sum()
    assert two_years == pytest.approx(34_150, abs=100)


def test_each_table_says_whose_it_is_and_carries_its_digest() -> None:
    about = yaml.safe_load((FOLDER / "reference.yaml").read_text("utf-8"))["tables"]
    assert sorted(one["file"] for one in about) == sorted(path.name for path in FOLDER.glob("*.csv.gz"))
    for one in about:
        assert one["sha256"] == hashlib.sha256((FOLDER / one["file"]).read_bytes()).hexdigest()
        assert one["issuer"] and one["vintage"] and one["caveat"]
        assert all(source["licence"] and source["carrier"] for source in one["sources"])
