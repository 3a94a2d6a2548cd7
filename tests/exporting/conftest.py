"""The keyboard of the command line's own tests."""

from tests.cli.conftest import type_

__all__ = ["type_"]
