"""What once took minutes takes no longer than reading it does: the shapes of text that are known to
have been slow, so large that anything but linear work would take minutes of CPU time.
"""

from __future__ import annotations

import pytest

from tests.benchmarks import inputs

LARGE = 200_000
MOST = 20.0
"""CPU seconds; linear work takes less than one on any machine."""
KNOWN = (
    "yaml: line ends",
    "yaml: CRLF",
    "yaml: syntax faults",
    "yaml: too deep again and again",
    "txt: blanks in a line",
    "capture: exchange Description, default, unspaced",
    "capture: exchange Description, blanks",
    "capture: filter, blanks",
    "capture: filter, blanks at the end",
    "plan: denials of an application become restrictions",
    "empty store: OU",
    "error: OU",
)


@pytest.mark.parametrize("name", KNOWN)
def test_a_text_that_was_slow_is_not(name: str) -> None:
    assert inputs.seconds(inputs.SHAPES[name], LARGE) < MOST


def test_every_kind_of_input_has_a_shape() -> None:
    kinds = {name.partition(":")[0] for name in inputs.SHAPES}
    assert kinds >= {
        "yaml",
        "csv",
        "txt",
        "capture",
        "plan",
        "journal",
        "simulator",
        "PowerShell",
        "error",
        "secrets",
    }
