"""The public text of a programme, written from the normal form that the engine counts with: one page a rule, in Markdown."""

import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from winay.core.text import say
from winay.programme import words
from winay.programme.load import Programme

PAGES = {
    "Results": "results", "Products": "products", "Indicators": "indicators", "Sheets": "sheets", "Standards": "standards",
}  # fmt: skip
"""Title in the index -> part of the programme whose items have a page each."""


def pages(programme: Programme) -> dict[str, str]:
    """File name -> Markdown: an index, and a page for each result, product, indicator, sheet and standard."""
    made = {
        title: {f"{part}/{name.replace('/', '-')}.md": told(name, programme) for name in programme.parts[part]}
        for title, part in PAGES.items()
    }
    index = _written("index", made, programme)
    return {"README.md": index} | {file: text for files in made.values() for file, text in files.items()}


def told(name: str, programme: Programme) -> str:
    """The page of one item of a part in PAGES."""
    part = next(part for part in PAGES.values() if name in programme.parts[part])
    return _written(part.removesuffix("s"), programme.parts[part][name], programme)


def _written(macro: str, item: object, programme: Programme) -> str:
    """What a macro of the template writes of an item; a blank line between its paragraphs."""
    page = getattr(_template().make_module({"programme": programme}), macro)(item)
    return re.sub(r"\n{3,}", "\n\n", page.strip()) + "\n"


@cache
def _template() -> Template:
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    text = (files("winay.programme") / "guide.md.j2").read_text("utf-8")
    return environment.from_string(text, globals={"say": say, "words": words})
