"""The face for hands: reads what was typed, calls one verb of `actions`, shows what came of it."""

import sys


def main() -> None:
    """The command `winay`. Exit status: 0 all well, 1 failure, 2 wrong use, 3 some records refused, 130 interrupted."""
    from winay.cli.app import run

    sys.exit(run(sys.argv[1:]))
