"""A plan beside the documents of an earlier commit: what was edited, what drifted, and what is no
longer declared. The plan itself is the same with and without.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import replace

from reconciler.guids import GUID
from reconciler.kinds.facts import facts
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import (
    ExchangePolicyAddress,
    TeamsPolicyAddress,
    application_address,
    name_key,
    parse_address,
    provider_of,
)
from reconciler.model.codes import RefusalRule
from reconciler.model.documents import Kind, Limits
from reconciler.model.findings import Severity
from reconciler.model.plans import Action
from reconciler.model.since import NoLongerDeclared, Since, UndeclaredPart, UnreadDocument
from reconciler.planning.decisive import decisive_edits
from reconciler.planning.making import Given, PlanOptions, given_for, product_plans, resolved_names
from reconciler.planning.selection import selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.addresses import Address, Provider
    from reconciler.model.desired import Desired, Unresolved
    from reconciler.model.documents import Documents
    from reconciler.model.findings import Finding
    from reconciler.model.inventories import ListedPolicy
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Change, Note, Plan

_LIMITS = frozenset({RefusalRule.LIMITS, RefusalRule.WIDENING})


class EarlierDocuments(Struct, frozen=True):
    """The documents of an earlier commit.

    Attributes:
        ref: The name that was typed for it.
        commit: Its whole hash.
        documents: Those without a fault.
        findings: What is wrong with the others, by the rules of today.
    """

    ref: str
    commit: str
    documents: Documents
    findings: tuple[Finding, ...]


def compared_with(
    earlier: EarlierDocuments,
    documents: Documents,
    observed: Observed,
    options: PlanOptions,
    plan: Plan,
) -> Since:
    """Compare the documents of a plan with earlier ones.

    Args:
        earlier: the documents of the base.
        documents: those that the plan was made of.
        observed: the reading that it was made of.
        options: those that it was made with.
        plan: the plan.

    Raises:
        UsageFault: as the plan itself.
    """
    given = given_for(documents, observed, options)
    desired, faults = resolved_names(earlier.documents, observed)
    base = _base(earlier.documents, desired, given)
    findings = [
        finding for finding in (*earlier.findings, *faults) if finding.severity is Severity.ERROR
    ]
    origins = _Origins(plan, given, base, findings)
    judged = not any(_bears_on_tenant(finding) for finding in findings)
    since = Since(
        ref=earlier.ref,
        commit=earlier.commit,
        edited=origins.edited,
        drifted=origins.drifted,
        unclear=origins.unclear,
        undeclared=tuple(sorted(_undeclared(given, base, plan))),
        decisive=tuple(decisive_edits(earlier.documents, documents, observed.directory)),
        beyond_limits=beyond_limits(given, earlier.documents, plan) if judged else (),
        limits_judged=judged,
        unread=tuple(sorted(_unread(findings))),
        names={},
    )
    return replace(since, names=_names(since, earlier.documents, documents))


def _base(documents: Documents, desired: Desired, given: Given) -> Given:
    """What a plan of all of the earlier documents is made of, for the same reading."""
    options = given.options
    everything = PlanOptions(allow=options.allow, group_changes=options.group_changes)
    return Given(documents, given.observed, everything, selection((), ()), desired)


def _names(since: Since, *several: Documents) -> Mapping[str, str]:
    """The names of the applications that a comparison tells of; those of now count first."""
    mentioned = set(GUID.findall(encode(since).decode()))
    return {
        document.application: document.name
        for documents in several
        for document in documents.applications
        if document.application in mentioned
    }


def beyond_limits(given: Given, base: Documents, plan: Plan) -> tuple[Note, ...]:
    """What the limits of other documents, and their standing consents, refuse of a plan that is not
    refused for it already.

    Args:
        given: what the plan was made of.
        base: the documents whose limits and consents count.
        plan: the plan.
    """
    limits = Limits() if base.tenant is None else base.tenant.limits
    standing = () if base.tenant is None else base.tenant.consents
    consented = {consent.lower() for consent in (*standing, *given.options.allow)}
    refused = {(note.code, note.address) for note in plan.refusals}
    parts = product_plans(given, limits)
    notes = {
        (note.code, note.address, str(note.details.get("concerned"))): note
        for part in parts
        for note in part.plan.refusals
        if note.code in _LIMITS
        and str(note.details.get("allow")).lower() not in consented
        and (note.code, note.address) not in refused
    }
    return tuple(notes[key] for key in sorted(notes))


class _Origins:
    """Why each object changes: a change that the documents of the base would make as well was not
    made by an edit.
    """

    def __init__(self, plan: Plan, given: Given, base: Given, findings: Sequence[Finding]) -> None:
        same = {change.address: change for change in _changes(base)}
        unknown = _names_lost(given.desired, base.desired)
        doubtful = frozenset(_doubtful(findings))
        edited, drifted, unclear = [], [], []
        for change in plan.changes:
            if provider_of(change.address) in doubtful:
                unclear.append(change.address)
            elif not _is_same(same.get(change.address), change):
                edited.append(change.address)
            elif any(_may_concern(change, name) for name in unknown):
                unclear.append(change.address)
            else:
                drifted.append(change.address)
        self.edited, self.drifted, self.unclear = map(
            tuple, map(sorted, (edited, drifted, unclear))
        )


def _changes(base: Given) -> Iterator[Change]:
    for part in product_plans(base):
        yield from part.plan.changes


def _is_same(earlier: Change | None, change: Change) -> bool:
    return earlier is not None and (earlier.actions, earlier.after) == (
        change.actions,
        change.after,
    )


def _names_lost(desired: Desired, base: Desired) -> list[Unresolved]:
    """Names of the base that lead to nobody and that the documents no longer have: a reading looks
    up what the documents of now name.
    """
    kept = {(name.policy, name.text) for each in desired.values() for name in each.unresolved}
    return [
        name
        for each in base.values()
        for name in each.unresolved
        if (name.policy, name.text) not in kept
    ]


def _may_concern(change: Change, name: Unresolved) -> bool:
    """Whether a change may be what becomes of the object that a name stood for."""
    address = parse_address(change.address)
    if isinstance(address, ExchangePolicyAddress):
        own = application_address(provider_of(change.address), address.application)
        return name.policy == own
    holds = change.before.get("policy") if change.before else None
    return isinstance(holds, str) and name_key(holds) == name_key(name.policy)


def _doubtful(findings: Iterable[Finding]) -> Iterator[Provider]:
    """The products whose documents were not all read; a document of no product bears on all."""
    for finding in findings:
        kind = finding.subject.partition("/")[0]
        if kind != Kind.ACCESS_TEST:
            owners = [name for name in PRODUCTS if facts(name).document_kind == kind]
            yield from owners or PRODUCTS


def _bears_on_tenant(finding: Finding) -> bool:
    """Whether a Tenant document may be what could not be read."""
    kind = finding.subject.partition("/")[0]
    return kind in {"", Kind.TENANT}


def _unread(findings: Iterable[Finding]) -> Iterator[UnreadDocument]:
    """One row for each document, with its first fault."""
    first: dict[tuple[str, str], Finding] = {}
    for finding in sorted(findings):
        first.setdefault((finding.position.file, finding.subject), finding)
    for (file, subject), finding in first.items():
        yield UnreadDocument(file, finding.position.line, subject, finding.message)


def _undeclared(given: Given, base: Given, plan: Plan) -> Iterator[NoLongerDeclared]:
    going = {change.address for change in plan.changes if Action.DELETE in change.actions}
    for name, state in given.observed.states.items():
        product = PRODUCTS[name]
        earlier = {
            policy.address: policy for policy in product.inventory(state, base.desired[name])
        }
        for policy in product.inventory(state, given.desired[name]):
            if policy.understood and policy.address not in going:
                yield from _parts(earlier[policy.address], policy)
    for name in base.desired.keys() - given.observed.states.keys():
        lost = (unresolved.address for unresolved in base.desired[name].unresolved)
        yield from _unseen({*PRODUCTS[name].addresses(base.desired[name], None), *lost})
    yield from _lists(given, base.documents)


def _unseen(addresses: Iterable[Address]) -> Iterator[NoLongerDeclared]:
    """Policies of a product that no document asks for any more, so that nobody read it."""
    for address in addresses:
        if isinstance(parse_address(address), ExchangePolicyAddress | TeamsPolicyAddress):
            yield NoLongerDeclared(address, UndeclaredPart.OBJECT, seen=False)


def _parts(earlier: ListedPolicy, policy: ListedPolicy) -> Iterator[NoLongerDeclared]:
    """What of one policy of the tenant was managed and is not."""
    if earlier.managed and not policy.managed and not policy.missing:
        grants = len(policy.users) + len(policy.groups)
        yield NoLongerDeclared(policy.address, UndeclaredPart.OBJECT, grants)
        return
    if (users := earlier.users_managed - policy.users_managed) > 0:
        yield NoLongerDeclared(policy.address, UndeclaredPart.USERS, users)
    was = {row.group for row in earlier.groups if row.managed}
    groups = sum(row.group in was and not row.managed for row in policy.groups)
    if groups:
        yield NoLongerDeclared(policy.address, UndeclaredPart.GROUPS, groups)


def _lists(given: Given, base: Documents) -> Iterator[NoLongerDeclared]:
    """Policies that are declared still, but no longer with the list of their applications."""
    silent = {
        name_key(document.name)
        for document in given.documents.teams
        if document.applications is None and not document.absent
    }
    stated = {
        name_key(document.name) for document in base.teams if document.applications is not None
    }
    listed = chain.from_iterable(
        PRODUCTS[name].inventory(state, given.desired[name])
        for name, state in given.observed.states.items()
    )
    for policy in listed:
        address = parse_address(policy.address)
        if not isinstance(address, TeamsPolicyAddress) or not policy.applications:
            continue
        if policy.managed and name_key(address.name) in silent & stated:
            yield NoLongerDeclared(policy.address, UndeclaredPart.APPLICATIONS)


def as_mapping(since: Since) -> Mapping[Address, str]:
    """Why each object changes, by address: `edited`, `drifted`, or `unclear`."""
    return {
        address: origin
        for origin in ("edited", "drifted", "unclear")
        for address in getattr(since, origin)
    }
