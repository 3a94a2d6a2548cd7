"""A folder with documents and a simulated tenant, and the command line in it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import yaml

from tests.remedies.services import Pairs, reached
from tests.strategies.tenants import APPS, TENANT, empty

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Ran, Run

A, B, _ = APPS
SIM = ("--tenant", "sim:tenant.json")


class Situation:
    """A folder with documents and a simulated tenant, and the command line in it."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run, self.folder = run, folder
        self.tenant = empty()
        for recipient in self.tenant["directory"]["recipients"]:
            recipient.pop("members", None)  # nobody knows them
        self.documents: list[dict[str, Any]] = [
            {
                "apiVersion": "reconciler/v1",
                "kind": "Tenant",
                "metadata": {"name": "contoso"},
                "spec": {"tenantId": TENANT, "organization": "contoso.onmicrosoft.com"},
            }
        ]

    def teams(self, name: str, **spec: Any) -> None:
        self._document("TeamsApplicationAccessPolicy", name, spec)

    def exchange(
        self, name: str, app: str, scope: str, right: str = "RestrictAccess", **more: Any
    ) -> None:
        spec = {"applications": [app], "scope": scope, "accessRight": right, **more}
        self._document("ExchangeApplicationAccessPolicy", name, spec)

    def exchange_absent(self, name: str, app: str, scope: str) -> None:
        spec = {"applications": [app], "scope": scope, "ensure": "absent"}
        self._document("ExchangeApplicationAccessPolicy", name, spec)

    def application(self, name: str, app: str) -> None:
        self._document("Application", name, {"appId": app})

    def quarantine(self, name: str, app: str) -> None:
        self._document("Application", name, {"appId": app, "quarantine": True})

    def access_test(self, name: str, **expected: str) -> None:
        self._document("AccessTest", name, {"expect": [expected]})

    def _document(self, kind: str, name: str, spec: Mapping[str, Any]) -> None:
        head = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}}
        self.documents.append({**head, "spec": dict(spec)})

    def refuse_absent_users(self) -> None:
        """Have a listed user who is not there stop a plan."""
        self.documents[0]["spec"]["unresolved"] = {"users": "refuse"}

    def settle(self) -> None:
        (self.folder / "policies").mkdir(exist_ok=True)
        (self.folder / "policies" / "all.yaml").write_text(yaml.safe_dump_all(self.documents))
        (self.folder / "tenant.json").write_text(json.dumps(self.tenant))

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        return self._run(*arguments, cwd=self.folder, stdin=stdin)

    def planned(self, *options: str) -> Ran:
        return self("plan", *SIM, "--out", "plan.json", *options)

    def applied(self, *options: str) -> Pairs:
        """Whom applications reach in addition once a plan with the options is applied."""
        before = self.reached()
        ran = self.planned(*options)
        assert ran.code == 0, ran.out + ran.err
        ran = self("apply", "plan.json", *SIM, "--auto-approve")
        assert ran.code == 0, ran.out + ran.err
        return self.reached() - before

    def reached(self) -> Pairs:
        return reached(json.loads((self.folder / "tenant.json").read_text()))

    def plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = json.loads((self.folder / "plan.json").read_text())
        return plan


def typed(text: str, after: str) -> list[str]:
    """The words of the command line that is printed behind a text, as a shell takes them apart."""
    line = next(line for line in text.splitlines() if after in line)
    return shlex.split(line.partition(after)[2])
