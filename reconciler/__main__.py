"""`python -m reconciler` is the `reconciler` command."""

from __future__ import annotations

import gc
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command; Ctrl-C while it is still being loaded is no crash either."""
    gc.disable()  # a run is short and keeps nearly everything it makes, what it loads above all: collecting would only cost time
    try:
        from reconciler.cli.main import main as run  # noqa: PLC0415  loading takes long enough to be interrupted
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
