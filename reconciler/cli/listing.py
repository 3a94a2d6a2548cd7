"""What `list` shows of a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.cli import collecting, surveying
from reconciler.errors import UsageFault
from reconciler.kinds.exchange.scopes import scope_coverage
from reconciler.kinds.facts import in_turn
from reconciler.kinds.products import PRODUCTS
from reconciler.reports.inventories import Inventory
from reconciler.reports.review.value import HANDFUL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reconciler.cli.surveying import Survey
    from reconciler.model.inventories import ListedPolicy


class ListFilter(Struct, frozen=True):
    """What was asked for; empty is everything. Several of a kind are either."""

    applications: tuple[str, ...]
    policies: tuple[str, ...]
    unmanaged: bool


def tenant_inventory(paths: Sequence[Path], tenant: str | None, wanted: ListFilter) -> Inventory:
    """Read the tenant and the documents, and list what was asked for.

    Raises:
        ReconcilerError: any fault of the documents or the tenant.
        UsageFault: an application or a policy is none.
    """
    seen = surveying.survey(paths, tenant, after=False)
    policies = tuple(_every_policy(seen))
    shown = _chosen(policies, wanted, seen)
    most = None if collecting.current().wanted else HANDFUL
    ids = {name_id for row in shown for name_id in _ids(row, most)}
    coverage = scope_coverage(seen.observed.directory)
    scopes = {row.scope: coverage(row.scope) for row in shown if row.scope}
    return Inventory(
        simulated=seen.simulated,
        tenant_id=seen.observed.tenant_id,
        organization=seen.observed.organization,
        read_at=seen.observed.taken_at,
        policies=policies,
        shown=shown,
        names=seen.names(ids),
        sizes={
            scope: len(covered.inside) if covered.closed else None
            for scope, covered in scopes.items()
        },
        declared=seen.documents is not None,
    )


def _every_policy(seen: Survey) -> Iterator[ListedPolicy]:
    desired = seen.desired()
    for name in in_turn():
        state = seen.observed.states.get(name)
        if state is not None:
            yield from PRODUCTS[name].inventory(state, None if desired is None else desired[name])


def _ids(row: ListedPolicy, most: int | None) -> Iterator[str]:
    """What a row names; of people at most so many."""
    yield from row.applications
    yield from row.users[:most]
    yield from (group.group for group in row.groups)
    yield row.scope


def _chosen(
    policies: Sequence[ListedPolicy], wanted: ListFilter, seen: Survey
) -> tuple[ListedPolicy, ...]:
    applications = {surveying.application_of(text, seen.documents) for text in wanted.applications}
    names = {text.lower(): text for text in wanted.policies}
    called = {row.address: _called(row, seen) for row in policies} if names else {}
    for name, typed in names.items():
        if not any(name in texts for texts in called.values()):
            raise UsageFault(
                f"--policy {typed!r}: the tenant has no policy of that name, address or scope; leave"
                " the option out to list all"
            )
    return tuple(
        row
        for row in policies
        if (not applications or applications & set(row.applications))
        and (not names or names.keys() & called[row.address])
        and (not wanted.unmanaged or not _is_managed(row))
    )


def _is_managed(row: ListedPolicy) -> bool:
    """Whether documents manage the policy and all of its grants."""
    groups = all(group.managed for group in row.groups)
    return row.managed and groups and row.users_managed == len(row.users)


def _called(row: ListedPolicy, seen: Survey) -> frozenset[str]:
    """What a policy may be called, lower-case."""
    directory = seen.observed.directory
    scope = directory.recipients.get(row.scope)
    names = () if scope is None else (*scope.addresses, scope.display_name)
    declared = () if seen.documents is None else seen.documents.exchange
    documents = (
        document.name
        for document in declared
        if scope is not None
        and document.scope.text.lower() in {*scope.addresses, scope.id}
        and set(document.applications) & set(row.applications)
    )
    texts = (row.address, row.name, row.scope, *names, *documents)
    return frozenset(text.lower() for text in texts if text)
