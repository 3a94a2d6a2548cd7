"""The sample of the page about everyday jobs: applied, without the lines that have served then, and
with an Excel list of people who are about to join.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

JOINERS = 300
SERVED = ("movedFrom:", "consents:", "tenant-wide:teams.application/", "Once it is applied they")


def write(folder: Path) -> Path:
    """Turn a copy of the sample into the folder of the page."""
    _apply(folder)
    for name in ("tenant.yaml", "exchange/even-users.yaml"):
        document = folder / "policies" / name
        lines = document.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not any(served in line for served in SERVED)]
        document.write_text("".join(kept), encoding="utf-8")
    _add_joiners(folder)
    return folder


def _apply(folder: Path) -> None:
    tenant = ["--tenant", "sim:.reconciler/tenant.json"]
    for arguments in (
        ["plan", *tenant, "--out", "plan.json"],
        ["apply", *tenant, "plan.json", "--auto-approve"],
    ):
        subprocess.run(
            [folder / ".venv" / "bin" / "reconciler", *arguments],
            cwd=folder,
            env={
                **os.environ,
                "RECONCILER_STATE_DIR": str(folder.resolve() / ".reconciler" / "state"),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    (folder / "plan.json").unlink()


def _add_joiners(folder: Path) -> None:
    """People of the tenant, and a list of them as Excel saves it where commas are decimal points."""
    path = folder / ".reconciler" / "tenant.json"
    tenant = json.loads(path.read_text(encoding="utf-8"))
    rows = ["Name;UserPrincipalName"]
    for number in range(JOINERS):
        name, upn = f"Webinar host {number:03}", f"webinar.host{number:03}@contoso.com"
        oid = f"00c0ffee-0000-4000-8000-{number:012}"
        tenant["directory"]["users"].append({"displayName": name, "id": oid, "upn": upn})
        rows.append(f"{name};{upn}")
    path.write_text(json.dumps(tenant), encoding="utf-8")
    (folder / "joiners.csv").write_text("\n".join(rows), encoding="utf-8-sig", newline="\r\n")
