"""The public text as a static site: a page for each rule, every link leads somewhere, and the index is searched by word."""

import re
from urllib.parse import unquote

import pytest

from winay.programme.guide import pages, site
from winay.programme.locate import programme


@pytest.fixture(scope="module")
def made(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINAY_LANG", "es")
        return site(programme("pe-dit"))


def test_a_page_for_each_page_of_the_text(made):
    """The same pages as in Markdown, in Spanish, and two files for how they look and are searched."""
    texts = pages(programme("pe-dit"))
    assert len([name for name in made if name.endswith(".html")]) == len(texts)
    assert {name for name in made if not name.endswith(".html")} == {"site.css", "search.js"}
    page = made["indicators/MC-02.01@FED2026.html"]
    assert '<html lang="es">' in page
    assert "Se cumple cuando" in page
    assert "http" not in re.sub(r"<main>.*</main>", "", page, flags=re.DOTALL)  # nothing is fetched


def test_every_link_leads_to_a_page(made):
    for name, text in made.items():
        folder = name.rpartition("/")[0]
        for link in re.findall(r'(?:href|src)="([^"#]+)"', text):
            if "://" not in link:
                to = unquote(link)
                target = to.removeprefix("../") if to.startswith("../") else f"{folder}/{to}".lstrip("/")
                assert target in made, f"{name}: {link}"


def test_a_product_leads_to_what_measures_it_and_a_result_to_its_sheets(made):
    product = made["products/3033255-hierro-6m.html"]
    assert '<a href="../standards/hierro-6m-fed2026.html">' in product
    assert '<a href="../results/hierro-preventivo.html">' in product
    assert '<a href="../sheets/MEF-4910@2025.html">' in made["results/R3.html"]


def test_the_index_has_the_words_of_every_page(made):
    """Without accents, as the search asks for them; the code is among them."""
    words = dict(re.findall(r'<li data-words="([^"]*)"><a href="([^"]+)">', made["index.html"]))
    by_page = {page: text.split() for text, page in words.items()}
    assert {"mc-02.01@fed2026", "ninas", "anemia"} <= set(by_page["indicators/MC-02.01@FED2026.html"])
