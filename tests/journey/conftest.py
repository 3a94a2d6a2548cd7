from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journey.places import Place, settle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


@pytest.fixture
def place(tmp_path: Path, run: Run) -> Place:
    return settle(tmp_path / "place", run)


@pytest.fixture
def applied(place: Place) -> Place:
    """The same folder after the sample was applied."""
    place.apply()
    return place
