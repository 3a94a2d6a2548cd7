"""A folder with the sample's documents and simulated tenant, and small documents of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
TENANT_ID = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
STRANGER = "11111111-2222-4333-8444-555555555555"


def settle(folder: Path) -> Path:
    """The sample in a folder: `policies/` and `tenant.json`."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    shutil.copy(ROOT / "reconciler" / "tenants" / "contoso.json", folder / "tenant.json")
    return folder


def tenant_document(tenant_id: str = TENANT_ID, more: str = "") -> str:
    """A Tenant document."""
    spec = f"spec: {{tenantId: {tenant_id}, organization: contoso.onmicrosoft.com{more}}}\n"
    return f"apiVersion: reconciler/v1\nkind: Tenant\nmetadata: {{name: contoso}}\n{spec}"


def teams_document(name: str, spec: str) -> str:
    """A Teams policy."""
    return (
        "---\napiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name:"
        f" {name}}}\nspec: {spec}\n"
    )
