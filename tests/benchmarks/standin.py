"""An apply through processes: the stand-in for PowerShell, in front of both services, all that is
ours in between.

What is measured is this tool, its door and the runner's protocol, not PowerShell and no network: on
a tenant each call takes 0.4 to 14 seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.tenants.simulated import Simulator
from tests.benchmarks import generated_tenants
from tests.benchmarks.journals import rate
from tests.benchmarks.rows import Row
from tests.benchmarks.startup import RECONCILER, ROOT
from tests.live.service import Service
from tests.live.signing import CONNECT, ENVIRONMENT
from tests.standin.places import Place
from tests.standin.stubs.stub_server import StubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

GRANTS = 20_000
RATE = 300.0
"""Steps a second that are wanted."""


def rows(_rounds: int, largest: int = GRANTS) -> Iterator[Row]:
    """Put right the drift of a tenant of `GRANTS` grants, or of the `largest` that is wanted; once,
    as every apply finds another tenant.
    """
    grants = min(largest, GRANTS)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        world = generated_tenants.write(place / "world", grants, "csv")
        tenant = place / "tenant.json"
        shutil.copy(world.capture, tenant)
        _sign_in(world.documents / "tenant.yaml")
        (place / "bin").mkdir()
        with StubServer(Service(Simulator(tenant))) as server:
            pwsh = Place().executable(place / "bin", server)
            digest = _planned(world.documents, place, pwsh)
            _run(
                ("apply", "plan.json", "--tenant", "live", "--auto-approve", "--digest", digest),
                place,
                pwsh,
            )
        found = rate(next(place.glob("state/*/apply-*.jsonl")))
        yield Row(
            "stand-in",
            f"{grants:,} grants: steps a second",
            found,
            found,
            budget=RATE,
            unit="steps/s",
        )


def _sign_in(document: Path) -> None:
    document.write_text(
        document.read_text("utf-8").replace(
            "spec:\n",
            f"spec:\n  organization: contoso.onmicrosoft.com\n  connect: {json.dumps(CONNECT)}\n",
        ),
        encoding="utf-8",
    )


def _planned(documents: Path, place: Path, pwsh: str) -> str:
    _run(("plan", str(documents), "--tenant", "live", "--out", "plan.json"), place, pwsh)
    digest: str = json.loads((place / "plan.json").read_bytes())["content_digest"]
    return digest


def _run(arguments: tuple[str, ...], place: Path, pwsh: str) -> None:
    environment = {**os.environ, **ENVIRONMENT, "RECONCILER_PWSH": pwsh, "PYTHONPATH": str(ROOT)}
    environment["RECONCILER_STATE_DIR"] = str(place / "state")
    subprocess.run(
        (RECONCILER, *arguments), cwd=place, env=environment, check=True, capture_output=True
    )
