"""Exchange policies as documents: one for each policy, one file for each application, because an
application is owned as a whole.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.documents.refusing import is_scope
from reconciler.exporting.applications import Use
from reconciler.exporting.plain_words import dashed, free
from reconciler.exporting.texts import comment, flow_list, is_expressible, scalar
from reconciler.exporting.values import Remark, RemarkCode
from reconciler.guids import EMPTY_GUID
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    exchange_application,
    exchange_policy,
    name_key,
)
from reconciler.model.documents import AccessRight, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from reconciler.exporting.values import Choice
    from reconciler.model.observed import Directory, ExchangeKey, ExchangePolicy, ExchangeState

EVERY_NAME: Final = "every-application"
"""What `*` is called in names of documents and files."""
_RIGHTS: Final = {AccessRight.RESTRICT: "restricted to", AccessRight.DENY: "denied"}
_NAME_PART: Final = 30
_GONE: Final = "gone scope"
_UNNAMED: Final = "unnamed scope"


class ScopeText(Struct, frozen=True):
    """How a document writes a scope, a name for it, the comment beside it for people, and whether the
    text is its address.
    """

    text: str
    name: str
    label: str
    is_address: bool


class ExchangeExport(Struct, frozen=True):
    """Exchange policies that can be written, by application, and what cannot be written."""

    policies: Mapping[str, tuple[ExchangePolicy, ...]]
    scopes: Callable[[str], ScopeText]
    remarks: tuple[Remark, ...]


def exported_exchange(
    state: ExchangeState,
    directory: Directory,
    choice: Choice,
    declared: Collection[ExchangeKey] = (),
) -> ExchangeExport:
    """Choose what can be written of the Exchange side, and say what cannot.

    Args:
        state: the Exchange side.
        directory: names for scopes.
        choice: what is written.
        declared: policies that have a document already.
    """
    remarks = [
        Remark(RemarkCode.NOT_UNDERSTOOD, exchange_application(owner), (str(len(rows)),))
        for owner, rows in state.opaque.items()
        if choice.has_exchange(owner)
    ]
    scopes = scope_texts(state, directory)
    policies: dict[str, list[ExchangePolicy]] = defaultdict(list)
    refused = {
        application for application, scope in state.policies if EMPTY_GUID in (application, scope)
    }
    for key, policy in sorted(state.policies.items()):
        if not choice.has_exchange(key[0]):
            continue
        if key[0] in refused:
            remarks.append(Remark(RemarkCode.ID_REFUSED, exchange_policy(*key)))
            continue
        policies[key[0]].append(policy)
        remarks += () if key in declared else _remarks(policy, scopes(policy.scope))
    whole = {application: tuple(listed) for application, listed in policies.items()}
    return ExchangeExport(whole, scopes, tuple(remarks))


def scope_texts(state: ExchangeState, directory: Directory) -> Callable[[str], ScopeText]:
    """How scopes are written: by their primary address where that leads to them and to nothing else,
    by their object id otherwise.
    """
    stored = {policy.scope: policy.scope_name for policy in state.policies.values()}

    @cache
    def written(scope: str) -> ScopeText:
        recipient = directory.recipients.get(scope)
        if recipient is None:
            name, is_gone = stored.get(scope, ""), directory.is_gone(scope)
            label = f"{name} (gone)" if is_gone and name.strip() else name
            otherwise = _GONE if is_gone else _UNNAMED
            return ScopeText(scope, name or otherwise, label or otherwise, is_address=False)
        address, name = recipient.primary, recipient.display_name
        is_own = directory.recipients_by_address.get(address.lower()) == scope
        is_two = directory.two_meanings(address.lower()) is not None
        if is_own and not is_two and is_scope(address):
            return ScopeText(address, name or address, name, is_address=True)
        return ScopeText(scope, name or address, f"{name} ({address})", is_address=False)

    return written


def exchange_uses(export: ExchangeExport) -> Mapping[str, Sequence[Use]]:
    """The scopes that each application has a policy on, by client id."""
    shared = Counter(policy.scope for listed in export.policies.values() for policy in listed)
    uses: dict[str, list[Use]] = defaultdict(list)
    for application, listed in sorted(export.policies.items()):
        for policy in listed if application != EVERY_APPLICATION else ():
            way = f"Exchange, {_RIGHTS[policy.right]}:"
            name = export.scopes(policy.scope).name
            uses[application].append(Use(shared[policy.scope], name, way))
    return uses


def exchange_documents(
    application: str,
    export: ExchangeExport,
    names: Mapping[str, str],
    taken: Collection[str],
    modeline: str,
    declared: Collection[ExchangeKey] = (),
) -> Mapping[str, str]:
    """The documents of an application's policies, by their names, in the order of their scopes.

    Args:
        application: its client id, or `*`.
        export: what is written.
        names: names of applications, by client id; that of `*` is for names of documents.
        taken: names that other documents have, as `name_key`s.
        modeline: the first line, for editors.
        declared: policies that have a document already.
    """
    documents: dict[str, str] = {}
    own = dashed(names[application], "app")
    listed = sorted(
        export.policies[application],
        key=lambda policy: (export.scopes(policy.scope).label.casefold(), policy.scope),
    )
    for policy in listed:
        if (policy.application, policy.scope) in declared:
            continue
        scope = export.scopes(policy.scope)
        part = dashed(scope.name, "scope")[:_NAME_PART].strip("-")
        wanted = f"{own[:_NAME_PART].strip('-')}-{part}"
        name = free(wanted, {*taken, *map(name_key, documents)})
        reference = EVERY_APPLICATION if application == EVERY_APPLICATION else names[application]
        lines = _lines(name, reference, policy, scope)
        documents[name] = modeline + "".join(f"{line}\n" for line in lines)
    return documents


def _lines(name: str, reference: str, policy: ExchangePolicy, scope: ScopeText) -> Iterator[str]:
    yield "apiVersion: reconciler/v1"
    yield f"kind: {Kind.EXCHANGE_POLICY}"
    yield f"metadata: {{name: {scalar(name)}}}"
    yield "spec:"
    is_every = reference == EVERY_APPLICATION
    yield "  applications: ['*']" if is_every else f"  applications: {flow_list([reference])}"
    behind = f"   # {comment(scope.label)}" if scope.label.strip() else ""
    yield f"  scope: {scalar(scope.text)}{behind}"
    yield f"  accessRight: {policy.right}"
    if is_every and policy.right is AccessRight.RESTRICT:
        yield "  allowEveryApplication: true"
    if policy.description and is_expressible(policy.description):
        yield f"  description: {scalar(policy.description)}"


def _remarks(policy: ExchangePolicy, scope: ScopeText) -> Iterator[Remark]:
    address = exchange_policy(policy.application, policy.scope)
    if policy.description and not is_expressible(policy.description):
        yield Remark(RemarkCode.DESCRIPTION_LEFT_OUT, address)
    if not scope.is_address:
        yield Remark(RemarkCode.SCOPE_BY_ID, address)
