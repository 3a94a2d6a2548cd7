"""The repository of the page about reviews: small documents, applied and committed on `main`, a tenant
that drifted since, and a branch with edits.

It has documents of its own, and fixed dates, so that its commits keep their hashes.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

HEAD = "apiVersion: reconciler/v1\nkind: {}\nmetadata: {{name: {}}}\nspec:\n"
TENANT = """\
  tenantId: 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a
  organization: contoso.onmicrosoft.com
  limits:
    grants: {maxRemovals: 1, maxRemovalPercent: 10}
"""
BOT = "  appId: ddb80e06-92f3-4978-bc22-a0eee85e6a9e\n"
CRM = "  appId: 7a774f0c-7a6f-11e0-85ad-07fb4824019b\n"
HOSTS = """\
  applications: [scheduling-bot]
  grants:
    users:
      - adele.vance@contoso.com
      - miriam.graham@contoso.com
      - nestor.wilke@contoso.com
"""
MAILBOXES = """\
  applications: [crm]
  scope: crm-mailboxes@contoso.com
  accessRight: RestrictAccess
"""
KEPT_OUT = """\
  expect:
    - {application: crm, mailbox: reception@contoso.com, access: denied}
"""
FILES = {
    "tenant.yaml": ("Tenant", "contoso", TENANT),
    "scheduling-bot.yaml": ("Application", "scheduling-bot", BOT),
    "crm.yaml": ("Application", "crm", CRM),
    "hosts.yaml": ("TeamsApplicationAccessPolicy", "Hosts", HOSTS),
    "crm-mailboxes.yaml": ("ExchangeApplicationAccessPolicy", "crm-mailboxes", MAILBOXES),
    "kept-out.yaml": ("AccessTest", "crm-stays-in-its-mailboxes", KEPT_OUT),
}
TENANT_FILE = "sim:tenant.json"
SAMPLE = Path(__file__).parents[2] / "reconciler" / "tenants" / "contoso.json"


def write(folder: Path) -> Path:
    """Make the repository of the page."""
    policies = folder / "policies"
    policies.mkdir()
    for name, (kind, document, spec) in FILES.items():
        (policies / name).write_text(HEAD.format(kind, document) + spec, encoding="utf-8")
    _tidy_tenant(folder / "tenant.json")
    _apply(folder)
    (folder / ".gitignore").write_text(".reconciler/\n.venv\n*.json\n", encoding="utf-8")
    _git(folder, "init", "-q", "-b", "main", ".")
    _git(folder, "add", "policies")
    _git(folder, "commit", "-q", "-m", "Hosts and the CRM")
    _git(folder, "checkout", "-q", "-b", "autumn")
    _drift(folder)
    _edit(folder)
    _git(folder, "commit", "-q", "-a", "-m", "Autumn cleaning")
    return folder


def _tidy_tenant(file: Path) -> None:
    """The people of the sample's tenant, and no policies."""
    tenant = json.loads(SAMPLE.read_text(encoding="utf-8"))
    teams = tenant["teams"]
    teams["policies"] = [row for row in teams["policies"] if row["Identity"] == "Global"]
    teams["groupAssignments"], teams["users"] = [], []
    tenant["exchange"]["policies"] = []
    file.write_text(json.dumps(tenant), encoding="utf-8")


def _drift(folder: Path) -> None:
    """Somebody takes the grant of Miriam Graham away by hand."""
    hosts = folder / "policies" / "hosts.yaml"
    text = hosts.read_text(encoding="utf-8")
    hosts.write_text(text.replace("      - miriam.graham@contoso.com\n", ""), encoding="utf-8")
    _apply(folder)
    hosts.write_text(text, encoding="utf-8")


def _edit(folder: Path) -> None:
    policies = folder / "policies"
    (policies / "crm-mailboxes.yaml").unlink()
    (policies / "kept-out.yaml").unlink()
    for name, old, new in (
        ("tenant.yaml", "maxRemovals: 1,", "maxRemovals: 1000,"),
        ("hosts.yaml", "      - adele.vance@contoso.com\n", ""),
        ("hosts.yaml", "      - nestor.wilke@contoso.com\n", ""),
    ):
        text = (policies / name).read_text(encoding="utf-8")
        (policies / name).write_text(text.replace(old, new), encoding="utf-8")


def _apply(folder: Path) -> None:
    subprocess.run(
        [
            *(folder / ".venv" / "bin" / "reconciler", "apply", "--tenant", TENANT_FILE),
            "--auto-approve",
        ],
        cwd=folder,
        env={**os.environ, "RECONCILER_STATE_DIR": str(folder.resolve() / ".reconciler" / "state")},
        check=True,
        capture_output=True,
    )


def _git(folder: Path, *words: str) -> None:
    who = ("AUTHOR", "COMMITTER")
    subprocess.run(
        ["git", *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{each}_DATE": "2026-11-02T08:00:00Z" for each in who},
            **{f"GIT_{each}_NAME": "Somebody" for each in who},
            **{f"GIT_{each}_EMAIL": "somebody@contoso.com" for each in who},
        },
        check=True,
        capture_output=True,
    )
