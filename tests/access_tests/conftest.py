"""The command line in a folder that holds the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.sample import settle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return settle(tmp_path)
