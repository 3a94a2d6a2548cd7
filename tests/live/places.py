"""A folder with documents, a tenant behind stub modules, and the command line in front of
processes: the stand-in's or PowerShell's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from reconciler.tenants.simulated import Faults, Simulator
from tests.journey.places import BUNDLED, ROOT
from tests.live.service import Service
from tests.live.signing import CONNECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.conftest import Ran, Run
    from tests.live.service import Item, Request

DIGEST = re.compile(r"content:[0-9a-f]{64}")


@dataclass
class Place:
    """The folder.

    The tenant's file is `tenant.json`; the service keeps it, so that what was written can be read
    in it.
    """

    folder: Path
    run: Run
    faults: Faults | None = None
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def answer(self, request: Request) -> Iterable[Item]:
        """What stands behind the stub modules: the service of this moment."""
        return self.service(request)

    def renew(self) -> None:
        """The service anew, on the tenant's file as it is now."""
        self.service = Service(Simulator(self.folder / "tenant.json", faults=self.faults))

    def __call__(self, *arguments: str, tenant: str = "live") -> Ran:
        return self.run(*arguments, *(("--tenant", tenant) if tenant else ()), cwd=self.folder)

    def plan(self) -> Mapping[str, Any]:
        """Plan into `plan.json`."""
        ran = self("plan", "--out", "plan.json")
        assert ran.code in {0, 4}, ran.out + ran.err
        plan: Mapping[str, Any] = json.loads(
            (self.folder / "plan.json").read_text(encoding="utf-8")
        )
        return plan

    def apply(self) -> Ran:
        """Apply `plan.json` as a pipeline does."""
        digest = json.loads((self.folder / "plan.json").read_text(encoding="utf-8"))[
            "content_digest"
        ]
        return self("apply", "plan.json", "--auto-approve", "--digest", digest)

    def tenant(self) -> Mapping[str, Any]:
        """What the tenant has now."""
        tenant: Mapping[str, Any] = json.loads(
            (self.folder / "tenant.json").read_text(encoding="utf-8")
        )
        return tenant

    def journal(self) -> list[dict[str, Any]]:
        """The lines of the newest journal."""
        newest = max(Path(os.environ["RECONCILER_STATE_DIR"]).glob("*/apply-*.jsonl"))
        return [json.loads(line) for line in newest.read_text(encoding="ascii").splitlines()]


def settle(folder: Path, run: Run, faults: Faults | None = None) -> Place:
    """The sample's documents, saying how to sign in, and the bundled tenant."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    shutil.copy(BUNDLED, folder / "tenant.json")
    for path in (folder / "policies").rglob("*.yaml"):
        found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        for document in found:
            if document["kind"] == "Tenant":
                document["spec"]["connect"] = CONNECT
                path.write_text(yaml.safe_dump_all(found, sort_keys=False), encoding="utf-8")
    return Place(folder, run, faults)
