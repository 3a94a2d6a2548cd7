"""The tenants of the page about drift: the sample, applied, on three nights."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from tests.docs import everyday

if TYPE_CHECKING:
    from pathlib import Path

TRIAL = "3f0d6a52-6c0b-4a0e-9a55-4f1c2b7d8e90"
"""An application that nobody has heard of."""
_BOT = "ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
_JONI, _ISAIAH = "joni.sherman@contoso.com", "isaiah.langer@contoso.com"


def write(folder: Path) -> Path:
    """Turn a copy of the sample into the folder of the page."""
    everyday.write(folder)
    tenant = json.loads((folder / ".reconciler" / "tenant.json").read_text(encoding="utf-8"))
    for name, change in (("monday", _nothing), ("tuesday", _trial), ("wednesday", _reused)):
        change(tenant)
        text = json.dumps(tenant, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
        if name == "tuesday":  # a plan takes something back on one of them
            (folder / "tuesday-later.json").write_text(text, encoding="utf-8")
        tenant = copy.deepcopy(tenant)
    return folder


def _nothing(_: Any) -> None:
    """Monday: as it was applied."""


def _trial(tenant: Any) -> None:
    """A policy that somebody made for a trial, and a grant by hand."""
    teams = tenant["teams"]
    teams["policies"].append(
        {"Identity": "Tag:Trial", "AppIds": [TRIAL], "Description": "temporary"}
    )
    _grant(tenant, _JONI, "Trial")
    _grant(tenant, _ISAIAH, "Test-policy")


def _reused(tenant: Any) -> None:
    """The trial is over; somebody else takes its name for something else."""
    (policy,) = (row for row in tenant["teams"]["policies"] if row["Identity"] == "Tag:Trial")
    policy["AppIds"] = [_BOT]
    rows = tenant["teams"]["users"]
    tenant["teams"]["users"] = [row for row in rows if row["UserPrincipalName"] != _ISAIAH]


def _grant(tenant: Any, upn: str, policy: str) -> None:
    (user,) = (row for row in tenant["directory"]["users"] if row["upn"] == upn)
    rows = [row for row in tenant["teams"]["users"] if row["Identity"] != user["id"]]
    rows.append(
        {
            "Identity": user["id"],
            "UserPrincipalName": upn,
            "ApplicationAccessPolicy": {"Authority": "Tenant", "Name": policy},
        }
    )
    tenant["teams"]["users"] = rows
