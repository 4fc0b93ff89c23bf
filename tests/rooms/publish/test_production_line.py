"""The production line on a page: every product is on it, no box on another, links to the tier above."""

import re
from dataclasses import astuple
from itertools import chain, combinations

import pytest

from tests.rooms.engine.test_chain import LAST, months
from winay.engine.chain import links, results
from winay.programme.load import load
from winay.programme.locate import find
from winay.publish.production_line import SIZE, headline, laid_out, page


@pytest.fixture(autouse=True)
def spanish(monkeypatch):
    monkeypatch.setenv("WINAY_LANG", "es")


def told(name="pe-dit", most=999, **own):
    """What a place tells; of its indicators the first `most` have figures, all of them failing."""
    programme = load(find(name))
    country = {key: months(8000, 8000, 8000, denominator=9000) for key in list(programme.indicators)[:most]}
    own = {key: months(7000, 7000, 7000, denominator=9000) for key in country}
    rows = [link | {"context": []} for link in links(programme, own, country, LAST, {})]
    return {
        "programme": str(programme.head.name), "place": "01", "name": "Amazonas", "level": "region", "period": str(LAST),
        "as_of": LAST.last, "known_on": LAST.last, "snapshot": "0123456789ab", "state": "official", "links": rows,
        "context": [], "weakest": rows[0] if rows[0]["missed"] else None, "results": results(programme, own, country, LAST, {}),
        "entities": {key: str(one.name) for key, one in programme.head.entities.items()},
        "subjects": {key: str(kind.plural) for key, kind in programme.head.subjects.items()},
    }  # fmt: skip


@pytest.mark.parametrize("most", [0, 5, 999])
def test_everything_fits_and_nothing_overlaps(most):
    boxes = list(chain.from_iterable(laid_out(told(most=most))))
    assert max(box.y + box.height for box in boxes) <= SIZE["height"] - SIZE["foot"]
    assert min(box.y for box in boxes) >= SIZE["head"]
    assert min(box.x for box in boxes) >= 0 and max(box.x + box.width for box in boxes) <= SIZE["width"] + 0.01
    for one, other in combinations(boxes, 2):
        apart = (
            one.x + one.width <= other.x or other.x + other.width <= one.x
            or one.y + one.height <= other.y or other.y + other.height <= one.y
        )  # fmt: skip
        assert apart, (astuple(one)[0], astuple(other)[0])


def test_every_product_and_result_is_on_the_page():
    line = told()
    boxes = list(chain.from_iterable(laid_out(line)))
    assert {one["product"] for box in boxes for one in box.products} == {one["product"] for one in line["links"]}
    assert {box.key for box in boxes} == {row["result"] for row in line["results"]}


def test_the_page():
    """The weakest link in its title and in black; text of 7 points or more; nothing is fetched."""
    line = told()
    html = page(line)
    assert headline(line)[0] in html and 'class="product weakest' in html
    assert "Responde: " in html and "Por debajo todos los meses desde 2026-04." in html
    assert min(float(size) for size in re.findall(r"([\d.]+)pt", html)) >= 7
    assert not re.search(r"https?://|<script|<link", html)
    drawn = [link for link in html.split("<path")[1:] if "lit" in link.split(">")[0]]
    assert len(drawn) > 1


def test_without_a_coverage_nothing_is_weakest():
    line = told(most=0)
    assert headline(line) == ["Ningún eslabón tiene cobertura todavía"]
    assert "weakest" not in page(line).split("</style>")[1]


def test_silent_facilities_are_told():
    line = told()
    line["weakest"] |= {"reporting": 3, "facilities": 5}
    assert any("Reportaron 3 de 5 establecimientos" in sentence for sentence in headline(line))
