"""What the room knows of each kind of document: its rules, and the document of the model that one
without a fault becomes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from msgspec import Struct

from reconciler.documents import access_tests, applications, exchange, teams, tenant
from reconciler.kinds.facts import facts
from reconciler.model.addresses import PROVIDERS
from reconciler.model.documents import Documents, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.documents.applications import Applications
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.documents import Listing
    from reconciler.model.findings import Finding, Position

Listings: TypeAlias = "Mapping[Position, tuple[Listing, ...]]"
"""The listings of a document's users, by where the document starts."""


class KindRules(Struct, frozen=True):
    """What differs between the kinds.

    Attributes:
        check: Judges all documents of the kind together, given the declared applications.
        build: Makes the model's document of one without a fault.
        references: The applications that a document names, each with its way.
        lists_once: Whether one document may name an application only once.
        every_application: What is wrong with `*` as an application; None if nothing is.
        own_name: Judges the name of a document.
    """

    check: Callable[[Sequence[RawDocument], Applications], Iterator[Finding]]
    build: Callable[[RawDocument, Applications, Listings], Any]
    references: Callable[[RawDocument], list[tuple[Steps, str]]] = lambda _document: []
    lists_once: bool = True
    every_application: str | None = None
    own_name: Callable[[RawDocument, str], Iterable[Finding]] = lambda _document, _name: ()


@cache
def rules_of(kind: Kind) -> KindRules:
    """What the room knows of a kind."""
    match kind:
        case Kind.TENANT:
            return KindRules(
                tenant.check, lambda document, _declared, _lists: tenant.build(document)
            )
        case Kind.APPLICATION:
            return KindRules(
                applications.check,
                lambda document, _declared, _lists: applications.build(document),
                own_name=applications.own_name,
            )
        case Kind.TEAMS_POLICY:
            return KindRules(
                teams.check,
                lambda document, declared, lists: teams.build(
                    document, declared, lists.get(document.start)
                ),
                references=applications.listed,
                every_application=teams.EVERY_APPLICATION_REFUSED,
                own_name=teams.own_name,
            )
        case Kind.EXCHANGE_POLICY:
            return KindRules(
                exchange.check,
                lambda document, declared, _lists: exchange.build(document, declared),
                references=applications.listed,
            )
        case Kind.ACCESS_TEST:
            return KindRules(
                access_tests.check,
                lambda document, declared, _lists: access_tests.build(document, declared),
                references=access_tests.references,
                lists_once=False,
                every_application=access_tests.EVERY_APPLICATION_REFUSED,
            )
        case _:
            assert_never(kind)


def kind_findings(documents: Sequence[RawDocument], declared: Applications) -> Iterator[Finding]:
    """Judge the documents of each kind by the rules of that kind."""
    for kind in Kind:
        of_kind = [document for document in documents if document.kind is kind]
        yield from rules_of(kind).check(of_kind, declared)
    yield from teams.check_cloud(documents)


def build(
    documents: Sequence[RawDocument], declared: Applications, listings: Listings
) -> Documents:
    """Build the model's documents out of raw ones without a fault.

    Args:
        documents: documents that keep every rule.
        declared: the declared applications, for the references.
        listings: the users of each Teams policy that lists some.
    """
    built: dict[Kind, list[Any]] = {kind: [] for kind in Kind}
    for document in documents:
        if document.kind is None:
            raise ValueError("a document without a kind has a fault")
        built[document.kind].append(rules_of(document.kind).build(document, declared, listings))
    policies: dict[str, Any] = {
        name: _by_name(built[facts(name).document_kind]) for name in PROVIDERS
    }
    return Documents(
        tenant=next(iter(built[Kind.TENANT]), None),
        applications=_by_name(built[Kind.APPLICATION]),
        tests=_by_name(built[Kind.ACCESS_TEST]),
        **policies,
    )


def _by_name(documents: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(documents, key=lambda document: (document.name.casefold(), document.name)))
