"""The Exchange objects that a typed text may mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.addresses import exchange_application, exchange_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kinds.typed_names import NamedObjects
    from reconciler.model.addresses import Address
    from reconciler.model.documents import ExchangePolicyDocument
    from reconciler.model.observed import ExchangeState

_APPLICATION, _POLICY = exchange_application(""), "exchange.policy/"


def meanings(
    text: str, objects: NamedObjects, state: ExchangeState | None
) -> Iterator[tuple[Address, ...]]:
    """What a text may mean: an address with names in it, or a name alone. The name of a document
    means all of its policies.
    """
    kind = next((kind for kind in (_APPLICATION, _POLICY) if text.lower().startswith(kind)), "")
    name = text[len(kind) :]
    if kind in ("", _APPLICATION):
        yield from ((exchange_application(each),) for each in objects.applications(name))
    if kind in ("", _POLICY):
        yield from ((address,) for address in _policies(name, objects))
        yield from _of_documents(name, objects)
    if not kind:
        yield from _on_scope(name, objects, state)


def _policies(name: str, objects: NamedObjects) -> Iterator[Address]:
    """`APPLICATION@SCOPE`; a name of an application may have an `@` in it, as an address has."""
    parts = name.split("@")
    for number in range(1, len(parts)):
        application, scope = "@".join(parts[:number]), "@".join(parts[number:])
        scopes = list(objects.recipients(scope)) or [scope.lower()]
        for each in objects.applications(application):
            yield from (exchange_policy(each, scope_id) for scope_id in scopes)


def _of_documents(name: str, objects: NamedObjects) -> Iterator[tuple[Address, ...]]:
    for document in objects.documents.exchange:
        if document.name.casefold() == name.casefold():
            yield tuple(_declared(document, objects))


def _declared(document: ExchangePolicyDocument, objects: NamedObjects) -> Iterator[Address]:
    scope = document.scope.text
    (scope_id, *_) = *objects.recipients(scope), scope.lower()
    yield from (exchange_policy(application, scope_id) for application in document.applications)


def _on_scope(
    name: str, objects: NamedObjects, state: ExchangeState | None
) -> Iterator[tuple[Address, ...]]:
    """The policies that the tenant has, or the documents declare, on a scope."""
    scopes = {*objects.recipients(name)}
    keys = {key for key in state.policies if key[1] in scopes} if state is not None else set()
    for document in objects.documents.exchange:
        if not scopes.isdisjoint(objects.recipients(document.scope.text)):
            keys |= {
                (each, scope)
                for each in document.applications
                for scope in objects.recipients(document.scope.text)
            }
    yield from ((exchange_policy(*key),) for key in sorted(keys))
