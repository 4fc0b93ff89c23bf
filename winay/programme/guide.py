"""The public text of a programme, written from the normal form that the engine counts with: one page a rule, in Markdown."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from winay.core.text import language, say
from winay.programme import words
from winay.programme.load import Programme

PAGES = {
    "Results": "results", "Products": "products", "Indicators": "indicators", "Sheets": "sheets", "Standards": "standards",
}  # fmt: skip
"""Title in the index -> part of the programme whose items have a page each."""
INDEX = "README.md"
RULES = ("indicators/", "standards/")
LISTED = re.compile(r'<li><a href="([^"]+)">')
CODE = re.compile("<code>([^<]+)</code>")


def pages(programme: Programme) -> dict[str, str]:
    """File name -> Markdown: an index, and a page for each result, product, indicator, sheet and standard."""
    made = {
        title: {_file(part, name): told(name, programme) for name in programme.parts[part]}
        for title, part in PAGES.items()
    }
    index = _written("index", made, programme)
    return {INDEX: index} | {file: text for files in made.values() for file, text in files.items()}


def site(programme: Programme) -> dict[str, str]:
    """File name -> text: the same pages in HTML, and what they need; no server. The index is searched by word and code."""
    from markdown_it import MarkdownIt

    written, render = pages(programme), MarkdownIt("commonmark", {"html": False}).render
    where = {name: _html(_file(part, name)) for part in PAGES.values() for name in programme.parts[part]}
    # a code without its year or rules is a page too: the sheet of the latest year, else the last rules
    versions = sorted(name for name in where if "@" in name)
    where = {name.partition("@")[0]: where[name] for name in versions} | where
    parts = [(part, say(title), len(programme.parts[part])) for title, part in PAGES.items() if programme.parts[part]]
    made = {name: _asset(f"site/{name}") for name in ("site.css", "search.js")}
    for file, text in written.items():
        facts: dict[str, Any] = {"title": text.partition("\n")[0].removeprefix("# ").replace("`", "")}
        facts["root"] = "../" * file.count("/")
        if file == INDEX:
            body, facts["parts"] = _searched(render(text), [part for part, *_ in parts], written), parts
        else:
            body = _linked(render(text), where, file)
        made[_html(file)] = _page().render(facts, programme=programme, language=language(), body=Markup(body))
    return made


def told(name: str, programme: Programme) -> str:
    """The page of one item of a part in PAGES."""
    part = next(part for part in PAGES.values() if name in programme.parts[part])
    return _written(part.removesuffix("s"), programme.parts[part][name], programme)


def _file(part: str, name: str) -> str:
    return f"{part}/{name.replace('/', '-')}.md"


def _html(file: str) -> str:
    return "index.html" if file == INDEX else file.removesuffix(".md") + ".html"


def _searched(body: str, parts: list[str], written: Mapping[str, str]) -> str:
    """The index: a place to jump to for each part, and with each page the words that find it."""
    name = iter(parts)
    body = re.sub("<h2>", lambda _: f'<h2 id="{next(name)}">', body)
    return LISTED.sub(lambda m: f'<li data-words="{_words(written[m[1]])}"><a href="{_html(m[1])}">', body)


def _linked(body: str, where: Mapping[str, str], file: str) -> str:
    """The text of a page, its codes leading to their pages; in a rule a component may be called as a result, and is none."""
    known = {code: to for code, to in where.items() if not (file.startswith(RULES) and to.startswith("results/"))}
    head, end, rest = body.partition("</h1>")
    linked = CODE.sub(lambda m: f'<a href="../{known[m[1]]}">{m[0]}</a>' if m[1] in known else m[0], rest)
    return head + end + linked


def _words(text: str) -> str:
    """The words of a page, each once, without accents."""
    plain = unicodedata.normalize("NFD", text.lower())
    return " ".join(dict.fromkeys(re.findall(r"[a-z0-9][a-z0-9@./-]+", re.sub("[\u0300-\u036f]", "", plain))))


def _written(macro: str, item: object, programme: Programme) -> str:
    """What a macro of the template writes of an item; a blank line between its paragraphs."""
    page = getattr(_template().make_module({"programme": programme}), macro)(item)
    return re.sub(r"\n{3,}", "\n\n", page.strip()) + "\n"


@cache
def _template() -> Template:
    return _from("guide.md.j2", autoescape=False)


@cache
def _page() -> Template:
    return _from("site/page.html.j2", autoescape=True)


def _from(name: str, autoescape: bool) -> Template:
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, autoescape=autoescape)
    return environment.from_string(_asset(name), globals={"say": say, "words": words})


def _asset(name: str) -> str:
    return (files("winay.programme") / name).read_text("utf-8")
