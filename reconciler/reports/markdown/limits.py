"""How large Markdown may be, in bytes of UTF-8."""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = 60_000
"""A comment of GitHub takes 65,536 characters; a headline and a link of the pipeline's own fit
beside this.
"""
LEAST_BYTES: Final = 8_000
"""What a verdict and the counts of all that is left out fit into."""
