"""A repository to start from: the files that `init` writes."""

from __future__ import annotations

import json
from typing import Final

from reconciler.documents.input_files import SUFFIXES
from reconciler.documents.schemas import schema_text
from reconciler.exporting.composing import SCHEMA, TENANT, tenant_document
from reconciler.exporting.plain_words import dashed
from reconciler.exporting.values import ExportedFile

FOLDER: Final = "policies"
"""Where documents are, unless a command line says otherwise."""

_GIT_IGNORE: Final = """\
# Plans and captures name people, and are made again at any time.
/*plan*.json
/*capture*.json
# Simulated tenants.
.reconciler/
"""
_PRE_COMMIT: Final = f"""\
repos:
  - repo: local
    hooks:
      - id: reconciler-validate
        name: validate application access policies
        entry: reconciler validate {FOLDER}
        language: system
        always_run: true
        pass_filenames: false
"""
_EDITOR: Final = {
    "yaml.schemas": {f"./{FOLDER}/{SCHEMA}": [f"{FOLDER}/**/*{suffix}" for suffix in SUFFIXES]}
}
_READ_ME: Final = """\
# Application access policies of {organization}

Which application may reach whom in Microsoft Teams and Exchange Online, as documents in `policies/`.

1. `reconciler export policies --tenant live --out-dir policies` writes what the tenant has.
2. `reconciler plan --tenant live --out plan.json` shows what a change of the documents would do.
3. Somebody else reviews the change and the plan, in a pull request.
4. `reconciler apply plan.json --tenant live` runs what was reviewed, and nothing else.
5. `reconciler validate` checks the documents alone; `pre-commit install` runs it before each commit.
"""


def start_files(tenant_id: str, organization: str) -> tuple[ExportedFile, ...]:
    """The files of a new repository, the Tenant document first.

    Args:
        tenant_id: a GUID.
        organization: the tenant's initial domain; empty if nobody said.
    """
    name = dashed(organization.partition(".")[0], "tenant")
    title = organization or f"tenant {tenant_id}"
    return (
        ExportedFile(f"{FOLDER}/{TENANT}", tenant_document(name, tenant_id, organization)),
        ExportedFile(f"{FOLDER}/{SCHEMA}", schema_text(None)),
        ExportedFile(".gitignore", _GIT_IGNORE),
        ExportedFile(".pre-commit-config.yaml", _PRE_COMMIT),
        ExportedFile(".vscode/settings.json", json.dumps(_EDITOR, indent=2) + "\n"),
        ExportedFile("README.md", _READ_ME.format(organization=title)),
    )
