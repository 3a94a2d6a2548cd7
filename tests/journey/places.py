"""A folder as a newcomer finds it, and documents as data that a test can rearrange."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.conftest import Ran, Run

ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "reconciler" / "tenants" / "contoso.json"


class Place(NamedTuple):
    """A folder with `policies/` and a simulated tenant in `tenant.json`, and the command line in
    it.
    """

    folder: Path
    run: Run

    def __call__(self, *arguments: str) -> Ran:
        return self.run(*arguments, "--tenant", "sim:tenant.json", cwd=self.folder)

    def plan(self) -> Mapping[str, Any]:
        """The plan of this moment, as its file holds it."""
        ran = self("plan", "--out", "plan.json")
        assert ran.code in {0, 4}, ran.out + ran.err
        plan: Mapping[str, Any] = json.loads(
            (self.folder / "plan.json").read_text(encoding="utf-8")
        )
        return plan

    def apply(self) -> None:
        """Plan and apply, and see that it converged."""
        self.plan()
        ran = self("apply", "plan.json", "--auto-approve")
        assert ran.code == 0, ran.out + ran.err

    def edit(self, document: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change one document, found by its name wherever it stands."""
        for path in self.documents():
            found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
            named = [one for one in found if one["metadata"]["name"] == document]
            if named:
                change(named[0])
                path.write_text(
                    yaml.safe_dump_all(found, allow_unicode=True, sort_keys=False), encoding="utf-8"
                )
                return
        raise AssertionError(document)

    def documents(self) -> Iterator[Path]:
        """The YAML files."""
        return iter(sorted((self.folder / "policies").rglob("*.yaml")))

    def tenant(self) -> Mapping[str, Any]:
        """What the simulated tenant has now."""
        tenant: Mapping[str, Any] = json.loads(
            (self.folder / "tenant.json").read_text(encoding="utf-8")
        )
        return tenant


def settle(folder: Path, run: Run) -> Place:
    """The sample's documents and the bundled tenant, in a folder of their own."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    shutil.copy(BUNDLED, folder / "tenant.json")
    return Place(folder, run)
