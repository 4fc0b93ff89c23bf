"""Words in the reader's language: names that come in several, and the sentences of the program."""

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

DEFAULT = "es"


def language() -> str:
    """`WINAY_LANG`, else what the terminal says, else Spanish."""
    wanted = os.environ.get("WINAY_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    code = wanted[:2].lower()
    return code if code == "en" or _sentences(code) else DEFAULT


@cache
def _sentences(code: str) -> Mapping[str, str]:
    """English template -> template in another language, from locale/<code>.yaml (empty when there is none)."""
    path = files("winay") / "locale" / f"{code}.yaml"
    if not code.isalpha() or not path.is_file():
        return {}
    import yaml

    return dict(yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {})


def say(template: str, **facts: object) -> str:
    """The template in the reader's language, filled with facts."""
    code = language()
    known = template if code == "en" else _sentences(code).get(template, template)
    return known.format_map(facts) if facts else known


class Text(dict[str, str]):
    """A name in several languages; printing it gives the reader's, else Spanish, else the first."""

    def __str__(self) -> str:
        return self.get(language()) or self.get(DEFAULT) or next(iter(self.values()), "")
