"""The command: `talkmeter …`, or `python -m talkmeter …`."""

import signal
import sys

from ._talkmeter import run_command


def main() -> int:
    """Run the command line of this process and return its exit code."""
    # The command has its own way to end: Python's would wait until it returns.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_command(["talkmeter", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
