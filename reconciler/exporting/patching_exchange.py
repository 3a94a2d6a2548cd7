"""Edits of an Exchange document that let it say what the tenant has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.documents.raw_documents import value_at
from reconciler.exporting.texts import is_expressible
from reconciler.guids import guid
from reconciler.model.addresses import EVERY_APPLICATION, name_key
from reconciler.model.documents import AccessRight

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.documents.trees import Steps
    from reconciler.exporting.document_edits import EditedDocument
    from reconciler.exporting.editing import LineEdit
    from reconciler.model.documents import Documents, ExchangePolicyDocument
    from reconciler.model.observed import Directory, ExchangeKey, ExchangePolicy, ExchangeState

_APPLICATIONS: Final[Steps] = ("spec", "applications")
_RIGHT: Final[Steps] = ("spec", "accessRight")
_DESCRIPTION: Final[Steps] = ("spec", "description")
_ALLOWS: Final[Steps] = ("spec", "allowEveryApplication")
_MOVED_FROM: Final[Steps] = ("spec", "movedFrom")


class ExchangeEdits(Struct, frozen=True):
    """Edits of a document, whether nothing is left of it, and the policies that it declares then as
    the tenant has them.
    """

    lines: tuple[LineEdit, ...]
    removed: bool
    kept: frozenset[ExchangeKey]


REWRITTEN = ExchangeEdits((), removed=True, kept=frozenset())
"""The document goes, and what the tenant has is written as an export does."""


def exchange_edits(
    policy: ExchangePolicyDocument,
    document: EditedDocument,
    state: ExchangeState,
    directory: Directory,
    documents: Documents,
) -> ExchangeEdits:
    """The edits of one document.

    Args:
        policy: what the document says.
        document: how it is written.
        state: the Exchange side.
        directory: leads from addresses of scopes to their ids.
        documents: all documents.

    Raises:
        NotEditedError: it is not written in a way that is edited so.
        ValueError: two edits concern one line.
    """
    scope = _scope(policy.scope.text, directory)
    keys = [(application, scope) for application in policy.applications]
    present = {key: state.policies[key] for key in keys if key in state.policies}
    staying, values = _staying(policy, present)
    if policy.absent:
        staying = {key[0] for key in keys if key not in present}
    if not staying:
        return ExchangeEdits((), removed=True, kept=frozenset())
    lines = [*_without(policy, document, staying, documents), *_values(policy, document, values)]
    if policy.moved_from is not None:
        old = _scope(policy.moved_from.text, directory)
        if any((application, old) in state.policies for application in policy.applications):
            lines.append(document.without_key(_MOVED_FROM))
    kept = frozenset() if policy.absent else frozenset((each, scope) for each in staying)
    return ExchangeEdits(tuple(lines), removed=False, kept=kept)


def _scope(text: str, directory: Directory) -> str:
    name = text.lower()
    return directory.recipients_by_address.get(name, name)


def _staying(
    policy: ExchangePolicyDocument, present: Mapping[ExchangeKey, ExchangePolicy]
) -> tuple[set[str], ExchangePolicy | None]:
    """The applications that the document stays for, and a policy whose values it takes over: that of
    all of them where they are alike, else those stay that are as the document says.
    """
    alike = {(each.right, each.description) for each in present.values()}
    if len(alike) == 1:
        return {key[0] for key in present}, next(iter(present.values()))
    same = {
        key[0]
        for key, each in present.items()
        if each.right is policy.right and policy.description in (None, each.description)
    }
    return same, None


def _values(
    policy: ExchangePolicyDocument, document: EditedDocument, present: ExchangePolicy | None
) -> Iterator[LineEdit]:
    if present is None or policy.absent:
        return
    if present.right is not policy.right:
        yield document.with_scalar(_RIGHT, present.right.value)
        allows = value_at(document.tree.value, _ALLOWS) is not None
        if present.right is AccessRight.RESTRICT and EVERY_APPLICATION in policy.applications:
            yield from () if allows else (document.with_key(_RIGHT, f"{_ALLOWS[-1]}: true"),)
        elif allows:
            yield document.without_key(_ALLOWS)
    if policy.description not in (None, present.description):
        if is_expressible(present.description):
            yield document.with_scalar(_DESCRIPTION, present.description)
        else:
            yield document.without_key(_DESCRIPTION)


def _without(
    policy: ExchangePolicyDocument,
    document: EditedDocument,
    staying: set[str],
    documents: Documents,
) -> Iterator[LineEdit]:
    """Without the applications that do not stay."""
    if staying == {*policy.applications}:
        return
    by_name = {name_key(each.name): each.application for each in documents.applications}
    texts = value_at(document.tree.value, _APPLICATIONS)
    gone = {
        index
        for index, text in enumerate(texts if isinstance(texts, list) else ())
        if (guid(str(text)) or by_name.get(name_key(str(text)), str(text))) not in staying
    }
    yield from document.with_items(_APPLICATIONS, gone, ())
