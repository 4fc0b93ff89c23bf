"""Every bar, each in a process of its own so that its memory is its own."""

import argparse
import subprocess
import sys

BARS = ("start", "w1", "programme_whole", "changed", "loading")


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("--quick", action="store_true", help="a size for every day")
    quick = ["--quick"] if asked.parse_args().quick else []
    for name in BARS:
        print(f"\n== {name}", flush=True)
        status = subprocess.run([sys.executable, "-m", f"bench.{name}", *quick]).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
