"""Every bar, each in a process of its own so that its memory is its own: `python -m bench [--quick]`."""

import subprocess
import sys

BARS = ("start", "w1", "programme_whole", "changed", "loading")


def main() -> int:
    quick = ["--quick"] if "--quick" in sys.argv else []
    for name in BARS:
        print(f"\n== {name}", flush=True)
        status = subprocess.run([sys.executable, "-m", f"bench.{name}", *quick]).returncode
        if status:
            return status
    return 0


sys.exit(main())
