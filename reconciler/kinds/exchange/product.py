"""Exchange as a product: what the rest of the house asks of it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from reconciler.audiences.verdicts import Ambiguous, Unnamed
from reconciler.guids import GUID
from reconciler.kinds.capture_reads import RowList
from reconciler.kinds.exchange import (
    access_delta,
    awaited,
    changes,
    checks,
    cmdlets,
    dead_scopes,
    desired,
    explaining,
    guards,
    listing,
    meanings,
    parse,
    quarantine,
    rehearsing,
    reliances,
    states,
    steps,
    target,
    unmanaged,
)
from reconciler.kinds.exchange.mailbox_access import mailbox_verdict
from reconciler.kinds.exchange.scopes import scope_coverage
from reconciler.kinds.product import PlanContext, Product, ProductPlan, RehearsedPart, Ties
from reconciler.kinds.snapshots import opaque_snapshot
from reconciler.kinds.tenant_wide import tenant_wide_refusals
from reconciler.kinds.widening import widening_refusals
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    ExchangeApplicationAddress,
    ExchangePolicyAddress,
    Provider,
    exchange_application,
    exchange_policy,
    parse_address,
)
from reconciler.model.baselines import Baseline, GuardScope, stored_policies
from reconciler.model.desired import DesiredExchange
from reconciler.model.observed import Directory, ExchangeState, Recipient
from reconciler.model.requests import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.audiences.questions import Advice, Known, Question
    from reconciler.audiences.reached import ReachedPart
    from reconciler.audiences.verdicts import Answer, Verdict
    from reconciler.canonical import Json
    from reconciler.kinds.access_bounds import AccessBounds
    from reconciler.kinds.capture_faults import FaultList
    from reconciler.kinds.snapshots import Snapshot
    from reconciler.kinds.typed_names import NamedObjects
    from reconciler.kinds.undoing import Holding, Past, Undoing
    from reconciler.model.addresses import Address
    from reconciler.model.documents import Documents
    from reconciler.model.findings import Finding, Position
    from reconciler.model.inventories import ListedPolicy
    from reconciler.model.plans import Step
    from reconciler.model.unmanaged import UnmanagedObject


class Exchange(Product[DesiredExchange, ExchangeState]):
    """`*-ApplicationAccessPolicy`: restrictions of an application's reach of mailboxes."""

    provider: Provider = "exchange"
    subject_kind = SubjectKind.MAILBOX
    consent_forms = (
        rf"(?:tenant-wide|exposure):exchange\.application/(?:{GUID.pattern}|\*)",
        rf"(?:empty-scope|deny):exchange\.policy/(?:{GUID.pattern}|\*)@\S+",
        r"limits:(?:exchange\.policy|widening)",
        r"policy-space:exchange",
        r"read-warning:exchange",
    )
    single_consent_forms = (
        rf"undeclared:exchange\.policy/(?:{GUID.pattern}|\*)@\S+",
        r"undo-old:exchange",
    )
    lists: tuple[RowList, ...] = (RowList("policies", "Get-ApplicationAccessPolicy"),)
    section_rows = None

    def is_named(self, documents: Documents) -> bool:
        """Policies are declared, or an application shall reach nobody."""
        return bool(documents.exchange or documents.quarantined)

    def request(self, documents: Documents) -> CaptureRequest:
        """Scopes, and the scope of guards, which nothing else needs."""
        scopes = (
            located
            for document in documents.exchange
            for located in (document.scope, document.moved_from)
        )
        recipients = {located.text for located in scopes if located is not None}
        tenant = documents.tenant if recipients or documents.quarantined else None
        if tenant is not None and tenant.guard_scope is not None:
            recipients.add(tenant.guard_scope)
        return CaptureRequest(frozenset(), recipients=tuple(sorted(recipients)))

    def subjects(self, names: frozenset[str]) -> CaptureRequest:
        """Mailboxes."""
        return CaptureRequest(frozenset({self.provider}), recipients=tuple(sorted(names)))

    def labels(self, documents: Documents) -> Mapping[str, str]:  # noqa: ARG002  has none
        """Scopes are written as addresses, which need no label."""
        return {}

    def parse(self, section: Mapping[str, Any], path: str, faults: FaultList) -> ExchangeState:
        """Policies."""
        return parse.parse_section(section, path, faults)

    def digest_rows(self, state: ExchangeState) -> Json:
        """Policies by application and scope."""
        policies = [
            [
                *key,
                policy.sid.upper(),
                policy.right.value,
                policy.description,
                policy.stored_description.lower(),
                policy.identity.lower(),
                policy.scope_name,
            ]
            for key, policy in state.policies.items()
        ]
        opaque = {owner: [row.text for row in rows] for owner, rows in state.opaque.items()}
        return {"opaque": opaque, "policies": policies} if opaque else policies

    def direct_grants(self, state: ExchangeState) -> Mapping[str, str]:  # noqa: ARG002  has none
        """Exchange grants nothing to single users."""
        return {}

    def names(self, state: ExchangeState) -> Mapping[str, str]:
        """The name that Exchange prints for each scope; of several the first in code-point order."""
        names: dict[str, str] = {}
        for policy in state.policies.values():
            names[policy.scope] = min(policy.scope_name, names.get(policy.scope, policy.scope_name))
        return names

    def doubting(self, state: ExchangeState, scopes: Collection[str]) -> ExchangeState:
        """The policies of these scopes hold their applications."""
        return parse.doubting(state, scopes)

    def resolve(
        self, documents: Documents, directory: Directory, state: ExchangeState | None
    ) -> tuple[DesiredExchange, Sequence[Finding]]:
        """Scopes become object ids."""
        policies = {} if state is None else state.policies
        return desired.resolve(documents.exchange, directory, policies, documents.quarantined)

    def desired_rows(self, desired: DesiredExchange) -> Json:
        """Owned applications, policies, and keys stated absent."""
        policies = desired.policies
        moved = {"moved": [[*new, old] for new, (_, old) in sorted(desired.moves.items())]}
        shut = {"quarantined": sorted(desired.quarantined)}
        return (
            (moved if desired.moves else {})
            | (shut if desired.quarantined else {})
            | {
                "absent": [list(key) for key in sorted(desired.absent)],
                "owned": sorted(desired.owned),
                "policies": [
                    [*key, policies[key].right.value, policies[key].description]
                    for key in sorted(policies)
                ],
                "unresolved": [name.row() for name in desired.unresolved],
            }
        )

    def addresses(self, desired: DesiredExchange, state: ExchangeState | None) -> Iterator[Address]:
        """Applications and their policies."""
        yield from map(exchange_application, desired.owned | desired.quarantined)
        present = () if state is None else state.policies
        for application, scope in chain(desired.policies, desired.absent, present):
            yield exchange_application(application)
            yield exchange_policy(application, scope)
        yield from map(exchange_application, () if state is None else state.opaque)

    def selected_form(self, address: str) -> str | None:
        """An application, or a policy by application and scope."""
        match parse_address(address):
            case ExchangeApplicationAddress(application) if application:
                return address.lower()
            case ExchangePolicyAddress(application, scope) if application and scope:
                return address.lower()
            case _:
                return None

    def whole_form(self, address: str) -> str | None:
        """A policy is a part of its application."""
        policy = parse_address(address)
        if isinstance(policy, ExchangePolicyAddress):
            return exchange_application(policy.application).lower()
        return None

    def meanings(
        self, text: str, objects: NamedObjects, state: ExchangeState | None
    ) -> Iterable[tuple[Address, ...]]:
        """By names of applications and documents, and by addresses of scopes."""
        return meanings.meanings(text, objects, state)

    def bears_on(self, document: str, selected: Collection[str]) -> bool:  # noqa: ARG002  any may
        """An application can be in any document."""
        return any(address.startswith("exchange.") for address in selected)

    def plan(
        self, desired: DesiredExchange, state: ExchangeState, context: PlanContext
    ) -> ProductPlan:
        """The plan of the Exchange side."""
        shutting = _shutting(desired, context)
        aim = _target(desired, state, context)
        order = steps.ordered(state, aim, context.directory, context.guard_scope)
        after = target.state_reached(state, aim)
        delta = access_delta.delta(state, after, context.directory)
        return ProductPlan(
            provider=self.provider,
            changes=tuple(changes.changes(state, aim)),
            ordered=order.ordered,
            baseline=_baseline(state, aim, order, desired, shutting),
            access=delta,
            outcome=after,
            refusals=(
                *checks.refusals(state, aim, context.directory, context.limits, order),
                *tenant_wide_refusals(delta, exchange_application),
                *widening_refusals(delta, exchange_application, context.limits),
            ),
            warnings=(
                *checks.warnings(state, aim, order, desired),
                *dead_scopes.dead_scope_warnings(state, aim, context.directory),
                *quarantine.quarantine_warnings(
                    state, aim.removed.keys() | aim.shut, desired, shutting
                ),
            ),
            unmanaged=tuple(checks.unmanaged(state, aim, desired, shutting)),
            held=aim.held,
            consented=aim.consented,
        )

    def outcome(
        self, desired: DesiredExchange, state: ExchangeState, context: PlanContext
    ) -> ExchangeState:
        """The Exchange side once the documents are applied."""
        aim = _target(desired, state, context)
        return target.state_reached(state, aim)

    def past_request(self, baseline: Baseline) -> CaptureRequest:
        """Scopes of its policies, by object id."""
        section = baseline.of_exchange()
        if section is None:
            return CaptureRequest(frozenset())
        rows = chain.from_iterable(stored_policies(section).values())
        scopes = sorted({row.scope for row in rows})
        return CaptureRequest(frozenset({self.provider}), recipients=tuple(scopes))

    def undone(
        self, past: Past, state: ExchangeState, directory: Directory, holding: Holding
    ) -> Undoing[DesiredExchange, ExchangeState] | None:
        """Applications, each as a whole."""
        section = past.baseline.of_exchange()
        if section is None:
            return None
        from reconciler.kinds.exchange import undoing  # noqa: PLC0415  lazy: seldom asked for

        return undoing.undone(section, past, state, directory, holding)

    def sections(self, states_of_tenant: Sequence[ExchangeState]) -> tuple[Baseline, ...]:
        """All policies."""
        return tuple(Baseline(exchange=section) for section in states.sections(states_of_tenant))

    def judge(
        self, state: ExchangeState, directory: Directory
    ) -> Callable[[str, str], tuple[str, Answer]]:
        """Whether applications reach mailboxes."""
        scopes = scope_coverage(directory)

        def answer(application: str, name: str) -> tuple[str, Answer]:
            mailbox = explaining.mailbox_id(directory, name)
            if isinstance(mailbox, (Unnamed, Ambiguous)):
                return name, mailbox
            covers = lambda scope: scopes(scope).covers(mailbox)  # noqa: E731  a closure of one line
            undecided = explaining.ungoverned(directory, mailbox, application)
            return mailbox, undecided or mailbox_verdict(state, application, covers)

        return answer

    def explain(
        self, question: Question, knowledge: Known, state: ExchangeState | None
    ) -> tuple[Verdict, Iterable[Advice]]:
        """The verdict on a question, and what would change it."""
        verdict = explaining.explained_verdict(question, knowledge, state)
        return verdict, explaining.advice(question, state, verdict, knowledge.directory)

    def applications(self, state: ExchangeState) -> frozenset[str]:
        """Client ids that its policies name."""
        return listing.listed_applications(state)

    def reached(
        self, state: ExchangeState, directory: Directory, application: str
    ) -> Iterable[ReachedPart]:
        """Whom an application reaches."""
        return listing.reached_by_rule(state, directory, application)

    def inventory(
        self, state: ExchangeState, desired: DesiredExchange | None
    ) -> Iterable[ListedPolicy]:
        """Policies and grants."""
        return listing.inventory(state, desired)

    def unmanaged_objects(
        self,
        state: ExchangeState,
        desired: DesiredExchange,
        apart: Collection[str],  # noqa: ARG002  a policy has no parts
    ) -> Iterable[UnmanagedObject]:
        """Policies of applications that no document owns."""
        return unmanaged.unmanaged_objects(state, desired)

    def declared_verdicts(self, documents: Documents) -> Callable[[str, str], Verdict]:
        """What the documents alone decide."""
        return explaining.declared_verdicts(documents)

    def declared_at(
        self,
        documents: Documents,
        directory: Directory,
        wanted: Collection[str],  # noqa: ARG002  they are few: all are given
    ) -> Iterator[tuple[Address, Position]]:
        """Where the documents declare policies."""
        return explaining.declared_at(documents.exchange, directory)

    def start(self, baseline: Baseline) -> Snapshot:
        """Policies of the baseline."""
        section = baseline.of_exchange()
        if section is None:
            return {}
        texts = baseline.opaque_of(self.provider)
        return states.starting_snapshot(section) | opaque_snapshot(texts)

    def project(self, baseline: Baseline, steps: Sequence[Step], state: ExchangeState) -> Snapshot:
        """The same of a tenant."""
        section = baseline.of_exchange()
        return {} if section is None else states.project(section, state, steps)

    def effect(self, snapshot: Snapshot, step: Step) -> Snapshot:
        """What a step sets."""
        return states.effect(snapshot, step)

    def spellings(
        self,
        baseline: Baseline,  # noqa: ARG002
        steps: Sequence[Step],  # noqa: ARG002
        state: ExchangeState,  # noqa: ARG002  ids are lower-case everywhere
    ) -> Mapping[str, str]:
        """Addresses of Exchange policies are ids, which nobody spells otherwise."""
        return {}

    def told_state(
        self,
        baseline: Baseline,
        steps: Sequence[Step],  # noqa: ARG002  the baseline has every name
        snapshot: Snapshot,
    ) -> tuple[ExchangeState, frozenset[str]] | None:
        """The policies of the applications that steps touch."""
        section = baseline.of_exchange()
        return None if section is None else states.told_state(section, snapshot)

    def is_addressed(self, step: Step) -> bool:
        """By application and scope; a scope's name is resolved just before its step."""
        return cmdlets.is_addressed(step)

    def reliances(
        self,
        baseline: Baseline,  # noqa: ARG002
        steps: Sequence[Step],
    ) -> Mapping[int, int]:
        """Removals of policies, and the policies of the same application that came before."""
        return reliances.reliances(steps)

    def ties(self, step: Step) -> Ties:
        """An application is changed as a whole, and `*` bears on every application."""
        return cmdlets.ties(step)

    def unreplaced(
        self,
        baseline: Baseline,  # noqa: ARG002
        done: Sequence[Step],
        kept: Sequence[Step],
        planned: Sequence[Step],
    ) -> frozenset[int]:
        """All of them where a step of `*` does not run: it bears on every application."""
        running = {step.id for step in (*done, *kept)}
        every = exchange_policy(EVERY_APPLICATION, "")
        if any(step.address.startswith(every) and step.id not in running for step in planned):
            return frozenset(step.id for step in kept)
        return frozenset()

    def rehearsed(self, baseline: Baseline, steps: Sequence[Step]) -> RehearsedPart:
        """Policies of the baseline, on made-up scopes."""
        return rehearsing.rehearsed(baseline, steps)

    def access_bounds(
        self,
        baseline: Baseline,
        steps: Sequence[Step],  # noqa: ARG002  the snapshots have every name
        before: Snapshot,
        after: Snapshot,
    ) -> AccessBounds | None:
        """Which mailboxes applications gain and lose by the steps."""
        section = baseline.of_exchange()
        return None if section is None else states.access_bounds(section, before, after)

    def consents(self, before: Snapshot, steps: Sequence[Step]) -> frozenset[str]:
        """One for each DenyAccess that is removed."""
        return states.deny_consents(before, steps)

    def shows(
        self, address: Address, values: Mapping[str, Json] | None, snapshot: Snapshot
    ) -> bool:
        """Whether a snapshot has a policy's right and description as given."""
        return states.shows(address, values, snapshot)


def _target(
    desired: DesiredExchange, state: ExchangeState, context: PlanContext
) -> target.ExchangeTarget:
    return target.target(
        desired,
        state,
        context.directory,
        holding=context.holding,
        shutting=_shutting(desired, context),
    )


def _shutting(desired: DesiredExchange, context: PlanContext) -> quarantine.ShuttingOut:
    return quarantine.ShuttingOut(
        desired.quarantined,
        guards.empty_group(context.guard_scope, context.directory),
        guards.guard_group(context.guard_scope, context.directory),
        context.consents,
    )


def _baseline(
    state: ExchangeState,
    aim: target.ExchangeTarget,
    way: steps.Guarded,
    desired: DesiredExchange,
    shutting: quarantine.ShuttingOut,
) -> Baseline:
    """What the plan rests on; of the tenant nothing, where nothing is done or judged."""
    if not (way.ordered.drafts or desired.quarantined):
        return Baseline(exchange=None)
    return Baseline(
        exchange=states.baseline(state, aim, _empty_group(way, shutting)),
        opaque=states.opaque(state, aim) or UNSET,
        awaited=awaited.awaited_rows(desired.awaited),
        quarantined=tuple(sorted(desired.quarantined)) or UNSET,
    )


def _empty_group(way: steps.Guarded, shutting: quarantine.ShuttingOut) -> GuardScope | None:
    """The empty group that the plan rests on; None if it does not rest on one."""
    if way.guard is not None:
        return way.guard.baseline()
    group = shutting.guard if shutting.applications else None
    return guards.guard_baseline(group) if isinstance(group, Recipient) else None
