"""`winay --help` against `python -c "import pandas"`: how long until something is on the screen."""

import subprocess
import sys
from pathlib import Path

from bench.bar import bar, median


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main(quick: bool) -> None:
    winay = str(Path(sys.executable).parent / "winay")
    base = median(run, sys.executable, "-c", "import pandas")
    print(f"base: {sys.executable} -c 'import pandas'  {base:.2f} s")
    bar("winay --help", median(run, winay, "--help") / base, 0.5)


if __name__ == "__main__":
    main("--quick" in sys.argv)
