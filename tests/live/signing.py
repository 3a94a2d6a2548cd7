"""How the tests sign in: with tokens whose value must show up nowhere."""

from __future__ import annotations

from typing import Any

from reconciler.model.target_tenant import TargetTenant
from tests.strategies.tenants import TENANT

# a canary: nothing may ever show it
TOKEN = "eyJhbGciOiJub25lIn0.CANARY-of-this-test.signature"  # noqa: S105
ENVIRONMENT = {"GRAPH_TOKEN": TOKEN, "TEAMS_TOKEN": f"{TOKEN}2", "EXO_TOKEN": f"{TOKEN}3"}
CONNECT: dict[str, Any] = {
    "cloud": "commercial",
    "teams": {"accessTokens": {"graph": "GRAPH_TOKEN", "teams": "TEAMS_TOKEN"}},
    "exchange": {"accessToken": "EXO_TOKEN"},
}
SETTINGS = TargetTenant(TENANT, "contoso.onmicrosoft.com", CONNECT)
