"""A repository of several tenants, each with a simulated one, and what they share."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
IDS = {
    "contoso": "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a",
    "fabrikam": "7f6a8f2e-1c1d-4f0a-9a51-6b1f3c2d4e5f",
    "woodgrove": "8f6a8f2e-1c1d-4f0a-9a51-6b1f3c2d4e5f",
}
SHARED = """\
apiVersion: reconciler/v1
kind: Application
metadata: {name: crm}
spec: {appId: 7a774f0c-7a6f-11e0-85ad-07fb4824019b}
---
apiVersion: reconciler/v1
kind: TeamsApplicationAccessPolicy
metadata: {name: Hosts}
spec:
  tenants: [contoso, fabrikam]
  applications: [crm]
"""


def settle(folder: Path, names: dict[str, str] = IDS) -> Path:
    """`policies/NAME/tenant.yaml`, `policies/shared/apps.yaml` and `NAME.json` of each tenant."""
    tenant = json.loads((ROOT / "reconciler/tenants/contoso.json").read_text(encoding="utf-8"))
    for name, tenant_id in names.items():
        write_tenant(folder / "policies" / name, name, tenant_id)
        tenant["tenant"] = {"tenantId": tenant_id, "organization": f"{name}.onmicrosoft.com"}
        (folder / f"{name}.json").write_text(json.dumps(tenant), encoding="utf-8")
    (folder / "policies" / "shared").mkdir()
    (folder / "policies" / "shared" / "apps.yaml").write_text(SHARED, encoding="utf-8")
    return folder


def write_tenant(folder: Path, name: str, tenant_id: str) -> None:
    """A folder with a Tenant document."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tenant.yaml").write_text(
        f"apiVersion: reconciler/v1\nkind: Tenant\nmetadata: {{name: {name}}}\n"
        f"spec: {{tenantId: {tenant_id}}}\n",
        encoding="utf-8",
    )
