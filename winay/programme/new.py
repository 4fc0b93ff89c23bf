"""A programme to begin with: the smallest folder that is whole, each file with what it teaches."""

import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from winay.core.problems import At, Problem, WinayError
from winay.programme.load import Programme, load

EXAMPLE = Path("cases/registry.csv")
"""In the folder: a file to load, of the one source."""


def new(folder: Path) -> Programme:
    """Write the folder, its last part the programme's name. Raises WinayError where something is there already."""
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        found, hint = "{folder} is not empty", "choose a new one"
        raise WinayError(Problem(At(str(folder)), found, hint=hint, facts={"folder": folder}), status=2)
    with as_file(files("winay.programme") / "new_programme") as example:
        shutil.copytree(example, folder, dirs_exist_ok=True)
    head = folder / "programme.yaml"
    name = re.sub(r"[^\w.-]+", "-", folder.resolve().name).strip("-")
    head.write_text(head.read_text("utf-8").replace("programme: NAME", f'programme: "{name}"', 1), "utf-8")
    return load(folder)
