"""Situations on a simulated tenant, and on a live one over sessions in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.conftest import stage  # noqa: F401  a fixture
from tests.live.signing import CONNECT
from tests.remedies.situations import Situation

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run
    from tests.live.stages import Stage


@pytest.fixture
def situation(run: Run, tmp_path: Path) -> Situation:
    return Situation(run, tmp_path)


@pytest.fixture
def live(
    situation: Situation,
    stage: Stage,  # noqa: F811  the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    """The tenant itself, which the documents of the situation say how to sign in to."""
    situation.documents[0]["spec"]["connect"] = CONNECT
    monkeypatch.setattr("reconciler.cli.live.begin", lambda _reads: stage.begin)
    monkeypatch.setattr("reconciler.tenants.live.lines.SessionLine.pause", lambda *_: None)
    return stage
