"""`python -m reconciler` is the `reconciler` command."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command; Ctrl-C while it is still being loaded is not a crash either."""
    # a run is short and keeps nearly everything it makes, what it loads above all: collecting would
    # only cost time
    gc.disable()
    try:
        from reconciler.cli.main import (  # noqa: PLC0415
            main as run,
        )
    except KeyboardInterrupt:
        from reconciler.errors import Interrupted  # noqa: PLC0415  lazy: loading may be what ended

        sys.exit(Interrupted.exit_code)
    try:
        run()
    finally:
        gc.freeze()  # or the end of the process would look through all that is left


if __name__ == "__main__":
    main()
