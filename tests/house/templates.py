"""Every sentence the program can say, collected from the code: what the Spanish file must hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAYS = {
    "say": [0],
    "opt": [0],
    "arg": [0],
    "wrong_use": [0, 1],
    "Problem": [1, 2, 3],
    "progress": [0],
    "unknown_name": [1],
    "unreadable": [1],
}
"""function -> which of its arguments are templates."""
IN_PAGES = re.compile(r'\bsay\("([^"]+)"')
NAMED = {"hint", "expected", "found", "help", "empty"}


def templates(folder: str = "") -> dict[str, str]:
    """template -> file:line of its first use."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "winay" / folder).rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        for text, line in [*_called(tree), *(_helps(tree) if file.parent.name == "cli" else [])]:
            found.setdefault(text, f"{file.relative_to(ROOT)}:{line}")
    for file in sorted((ROOT / "winay" / folder).rglob("*.j2")):
        for n, text in enumerate(file.read_text("utf-8").splitlines(), start=1):
            for sentence in IN_PAGES.findall(text):
                found.setdefault(sentence, f"{file.relative_to(ROOT)}:{n}")
    return found


def _called(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name in SAYS:
            wanted = [call.args[n] for n in SAYS[name] if n < len(call.args)]
            wanted += [word.value for word in call.keywords if word.arg in NAMED]
            for node in wanted:
                for text in _constants(node):
                    if any(char.isalpha() for char in text):
                        yield text, node.lineno


def _constants(node: ast.expr) -> Iterator[str]:
    """The text itself, or both ends of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)


def _helps(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and "Example:" in (text := ast.get_docstring(node) or ""):
            for part in text.split("Example:")[0].strip().split("\n\n"):
                yield " ".join(part.split()), node.lineno


if __name__ == "__main__":  # what has no Spanish yet
    import yaml

    spanish = yaml.safe_load((ROOT / "winay/locale/es.yaml").read_text("utf-8"))
    for text, at in templates().items():
        if text not in spanish:
            print(f"{at}  {text!r}")
