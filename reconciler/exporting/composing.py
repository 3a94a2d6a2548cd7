"""A reading of a tenant -> new files, beside what is written already."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.documents.refusing import is_organization
from reconciler.documents.schemas import schema_text
from reconciler.exporting.applications import (
    application_documents,
    invented_names,
    merged_uses,
)
from reconciler.exporting.exchange import (
    EVERY_NAME,
    exchange_documents,
    exchange_uses,
    exported_exchange,
)
from reconciler.exporting.plain_words import dashed, free, stem
from reconciler.exporting.suggesting import suggestions
from reconciler.exporting.teams import (
    CSV_HEADER,
    exported_teams,
    teams_document,
    teams_uses,
)
from reconciler.exporting.texts import scalar
from reconciler.exporting.values import (
    EVERYTHING_CHOSEN,
    NOTHING_WRITTEN,
    Export,
    ExportedFile,
    Remark,
    RemarkCode,
)
from reconciler.model.addresses import EVERY_APPLICATION, PROVIDERS, name_key
from reconciler.model.documents import Kind
from reconciler.model.observed import ExchangeState, TeamsState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.exporting.applications import Use
    from reconciler.exporting.exchange import ExchangeExport
    from reconciler.exporting.teams import TeamsExport
    from reconciler.exporting.values import Choice, Written
    from reconciler.model.observed import Observed

SCHEMA: Final = "document.schema.json"
"""The JSON Schema beside the documents, for editors."""
APPLICATIONS: Final = "applications.yaml"
TENANT: Final = "tenant.yaml"
"""Files at the top of the folder; policies are in a folder for each product."""
_NOBODY: Final = TeamsState({}, (), {}, {})
NO_NAMES: Final[Mapping[str, str]] = {}
_NOTHING: Final = ExchangeState({})


def exported(
    observed: Observed,
    *,
    written: Written = NOTHING_WRITTEN,
    choice: Choice = EVERYTHING_CHOSEN,
    preferred: Mapping[str, str] = NO_NAMES,
    suggest: bool = False,
) -> Export:
    """Write what a tenant has as documents: a plan of them has no changes.

    Args:
        observed: the tenant.
        written: what documents declare already; none of that is written again.
        choice: what is exported.
        preferred: names for applications, by client id, where `written` has none.
        suggest: whether to look for what is worth a look.
    """
    sides = _sides(observed, choice, written)
    names = _names(sides, written, preferred)
    writing = _Writing(written, {**written.application_names, **names}, set(written.files))
    remarks = [*sides.teams.remarks, *sides.exchange.remarks, *_unread(observed)]
    if suggest:
        remarks += suggestions(observed, choice, written.application_names)
    files = [
        *_top(observed, written),
        *_applications(names, sides.uses, writing),
        *_teams_files(sides.teams, writing),
        *_exchange_files(sides.exchange, writing),
    ]
    return Export(
        tuple(files),
        tuple(sorted(set(remarks))),
        _named(observed, sides.exchange, writing.application_names),
    )


def _named(
    observed: Observed, exchange: ExchangeExport, application_names: Mapping[str, str]
) -> Mapping[str, str]:
    """Names for the ids of applications, scopes and groups."""
    state = observed.state(ExchangeState) or _NOTHING
    scopes = {scope: exchange.scopes(scope).name for _, scope in state.policies}
    groups = {each.id: each.display_name for each in observed.directory.groups.values()}
    every = {EVERY_APPLICATION: "every application"}
    return {**groups, **scopes, **application_names, **every}


class _Sides(Struct, frozen=True):
    """What is exported of each product, and where applications are used in it."""

    teams: TeamsExport
    exchange: ExchangeExport
    uses: Mapping[str, Sequence[Use]]


class _Writing(Struct, frozen=True):
    """What files are made with; `taken` are paths that are there, and grows."""

    written: Written
    application_names: Mapping[str, str]
    taken: set[str]

    def path(self, folder: str, wanted: str, suffix: str) -> str:
        """The path of a new file."""
        name = free(f"{folder}/{wanted}", self.taken, suffix)
        self.taken.add(f"{name}{suffix}")
        return f"{name}{suffix}"


def _sides(observed: Observed, choice: Choice, written: Written) -> _Sides:
    state = observed.state(TeamsState) or _NOBODY
    exchange = exported_exchange(
        observed.state(ExchangeState) or _NOTHING, observed.directory, choice, written.exchange
    )
    return _Sides(
        exported_teams(state, observed.directory, choice, written),
        exchange,
        merged_uses(teams_uses(state, choice), exchange_uses(exchange)),
    )


def _names(sides: _Sides, written: Written, preferred: Mapping[str, str]) -> Mapping[str, str]:
    """Names for the applications that have none."""
    unnamed = _referred(sides, written) - written.application_names.keys()
    taken = {*_taken(written, Kind.APPLICATION)}
    names = {
        application: preferred[application]
        for application in unnamed
        if application in preferred and name_key(preferred[application]) not in taken
    }
    taken |= {*map(name_key, names.values())}
    invented = {each: sides.uses[each] for each in sorted(unnamed - names.keys())}
    return {**names, **invented_names(invented, taken)}


def _referred(sides: _Sides, written: Written) -> frozenset[str]:
    """Applications that new documents refer to."""
    listed = chain.from_iterable(
        parts.applications or () for parts in sides.teams.policies.values()
    )
    owners = (
        policy.application
        for policy in chain.from_iterable(sides.exchange.policies.values())
        if (policy.application, policy.scope) not in written.exchange
    )
    return frozenset(chain(listed, owners)) - {EVERY_APPLICATION}


def _taken(written: Written, kind: Kind) -> frozenset[str]:
    return written.names.get(kind, frozenset())


def _unread(observed: Observed) -> Iterator[Remark]:
    for provider in PROVIDERS:
        if provider not in observed.states:
            yield Remark(RemarkCode.NOT_READ, provider, (observed.faulty.get(provider, ""),))


def _modeline(depth: int) -> str:
    return f"# yaml-language-server: $schema={'../' * depth}{SCHEMA}\n"


def _top(observed: Observed, written: Written) -> Iterator[ExportedFile]:
    """The schema and the Tenant document, unless they are there."""
    if SCHEMA not in written.files:
        yield ExportedFile(SCHEMA, schema_text(None))
    if not written.has_tenant:
        name = dashed(observed.organization.partition(".")[0], "tenant")
        yield from _file(
            TENANT, [tenant_document(name, observed.tenant_id, observed.organization)], written
        )


def tenant_document(name: str, tenant_id: str, organization: str) -> str:
    """A Tenant document that says which tenant it is, and nothing else.

    Args:
        name: lower-case words.
        tenant_id: a GUID.
        organization: the initial domain; left out if it is none.
    """
    lines = [
        f"{_modeline(0)}apiVersion: reconciler/v1",
        f"kind: {Kind.TENANT}",
        f"metadata: {{name: {scalar(name)}}}",
        "spec:",
        f"  tenantId: {tenant_id}",
        *([f"  organization: {organization}"] if is_organization(organization) else []),
    ]
    return "".join(f"{line}\n" for line in lines)


def _file(path: str, documents: Sequence[str], written: Written) -> Iterator[ExportedFile]:
    """A file of documents, or more documents for one that is there."""
    if documents:
        appended = path in written.files
        text = "---\n".join(documents)
        yield ExportedFile(path, f"---\n{text}" if appended else text, appended)


def _applications(
    names: Mapping[str, str], uses: Mapping[str, Sequence[Use]], writing: _Writing
) -> Iterator[ExportedFile]:
    documents = [*application_documents(names, uses, _modeline(0))]
    yield from _file(APPLICATIONS, documents, writing.written)


def _teams_files(export: TeamsExport, writing: _Writing) -> Iterator[ExportedFile]:
    """A file for each policy that no document declares, its list of users before it."""
    for key, parts in sorted(export.policies.items()):
        path = writing.path("teams", stem(parts.name, "policy"), ".yaml")
        plain = path.removeprefix("teams/").removesuffix(".yaml")
        list_name = free(plain, {name.removeprefix("teams/") for name in writing.taken}, ".csv")
        document = teams_document(
            key, parts, writing.application_names, _modeline(1), f"{list_name}.csv"
        )
        if document.list_name:
            listed = f"teams/{document.list_name}"
            writing.taken.add(listed)
            rows = chain((CSV_HEADER,), document.users)
            yield ExportedFile(listed, "".join(f"{row}\n" for row in rows))
        yield ExportedFile(path, document.text)


def _exchange_files(export: ExchangeExport, writing: _Writing) -> Iterator[ExportedFile]:
    """A file for each application, with the policies that no document declares."""
    taken = {*_taken(writing.written, Kind.EXCHANGE_POLICY)}
    names = {**writing.application_names, EVERY_APPLICATION: EVERY_NAME}
    for application in sorted(export.policies, key=lambda owner: (names[owner], owner)):
        documents = exchange_documents(
            application, export, names, taken, _modeline(1), writing.written.exchange
        )
        if documents:
            taken |= {*map(name_key, documents)}
            path = writing.path("exchange", stem(names[application], "app"), ".yaml")
            yield ExportedFile(path, "---\n".join(documents.values()))
