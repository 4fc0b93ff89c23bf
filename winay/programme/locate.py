"""Where a programme is: a path, a folder beside the workspace, or one that is installed."""

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from winay.core.problems import WinayError, unknown_name
from winay.programme.load import Programme, load

_HERE = Path(__file__).resolve().parent.parent
SHIPPED = (_HERE / "programmes", _HERE.parent / "programmes")
"""Inside the installed package, or at the root of a checkout."""


def installed() -> dict[str, Path]:
    """Programmes by name: those that ship with us, and those that other packages offer (group `winay.programmes`)."""
    found = {entry.name: Path(str(entry.load())) for entry in entry_points(group="winay.programmes")}
    for root in SHIPPED:
        found |= {f.parent.name: f.parent for f in sorted(root.glob("*/programme.yaml"))}
    return found


def find(name: str, beside: Path | None = None) -> Path:
    """The folder of a programme. Raises WinayError naming what there is."""
    for candidate in [Path(name), *([beside / name] if beside else [])]:
        if (candidate / "programme.yaml").is_file():
            return candidate
    known = installed()
    if name not in known:
        raise WinayError(unknown_name(None, "programme", name, known), status=2)
    return known[name]


@cache
def programme(name: str, beside: Path | None = None) -> Programme:
    """The loaded programme, read once a process."""
    return load(find(name, beside))
