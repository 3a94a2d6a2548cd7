"""Whether the documents refuse a name or an address, asked before a document is written."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reconciler.documents.checks_names import name_findings
from reconciler.documents.parsing import parse_yaml
from reconciler.documents.raw_documents import raw_document
from reconciler.documents.schemas import schema, takes
from reconciler.documents.shapes import shape_findings
from reconciler.model.documents import Kind
from reconciler.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@cache
def name_refusal(kind: Kind, spelled: str) -> str:
    """Why a document of a kind cannot have a name: the message of the first rule that it breaks;
    empty if it can.

    Args:
        kind: a kind whose `spec` needs no key.
        spelled: the name as YAML spells it.
    """
    text = f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {spelled}}}\nspec: {{}}\n"
    parsed = parse_yaml(text, "document.yaml")
    documents = [raw_document("document.yaml", tree) for tree in parsed.trees]
    findings = [
        *parsed.findings,
        *(finding for document in documents for finding in shape_findings(document)),
        *name_findings(documents),
    ]
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    return errors[0].message if errors else ""


@cache
def is_scope(text: str) -> bool:
    """Whether an Exchange document may name a scope by this text, as its schema says."""
    form: Mapping[str, Any] = schema(Kind.EXCHANGE_POLICY)["definitions"]["scope"]
    return takes(form, text)


@cache
def is_organization(text: str) -> bool:
    """Whether a Tenant document may name this organization, as its schema says."""
    form = schema(Kind.TENANT)["properties"]["spec"]["properties"]["organization"]
    return takes(form, text)
