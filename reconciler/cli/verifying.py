"""What became of an apply, at the edge: journals, the tenant, and waiting."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.applying import probing, state, verifying
from reconciler.applying.earlier import believed_journals
from reconciler.applying.last_apply import last_apply
from reconciler.applying.waiting import Waiting, wait
from reconciler.cli import collecting, loading, options, plan_files, printing, sources
from reconciler.cli.tenant_journals import journal_origin, state_key, tell_ignored
from reconciler.cli.working import working
from reconciler.errors import (
    AppliedInPart,
    NotVerified,
    ReconcilerError,
    TamperedPlan,
    UsageFault,
)
from reconciler.guids import GUID
from reconciler.model.addresses import EVERY_APPLICATION, ExchangePolicyAddress, parse_address
from reconciler.model.observed import ExchangeState
from reconciler.model.plans import PlanTenant
from reconciler.model.requests import CaptureRequest
from reconciler.planning import making, naming, prefixes, requests
from reconciler.planning.making import PlanOptions
from reconciler.reports import verifications
from reconciler.reports.lines import Tone
from reconciler.reports.review import phrases
from reconciler.reports.review.composing import review
from reconciler.tenants.protocol import Checking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reconciler.applying.last_apply import LastApply
    from reconciler.applying.verifying import ChangedObject
    from reconciler.canonical import Json
    from reconciler.errors import TenantFault
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan
    from reconciler.model.verifications import Verification
    from reconciler.planning.planfile import SealedPlan
    from reconciler.reports.outline import Outline
    from reconciler.tenants.protocol import Tenant

MINUTES: Final = 120
"""How long is waited unless somebody says otherwise: longer than either service usually takes."""
_MINUTE = 60


class VerifyOptions(Struct, frozen=True):
    """What was typed.

    Attributes:
        plan: The plan that was applied; None: the last apply counts.
        paths: Documents; empty: the default ones, if they exist.
        tenant: `--tenant`.
        journal: A journal that a person names.
        journals: Where a person put journals.
        timeout: Minutes to wait; None: as the tenant needs.
    """

    plan: Path | None
    paths: tuple[Path, ...]
    tenant: str | None
    journal: Path | None
    journals: Path | None
    timeout: int | None


class _Case(Struct, frozen=True):
    """An apply that is verified, and what it is compared with."""

    sealed: SealedPlan | None
    documents: Documents | None
    source: sources.WritableSource
    applied: LastApply
    objects: tuple[ChangedObject, ...]
    tenant_id: str

    @property
    def simulated(self) -> bool:
        return isinstance(self.source, sources.SimulatedTenant)


class _Seen:
    """The last reading, beside what became of the apply."""

    def __init__(self) -> None:
        self.observed: Observed | None = None
        self.doors: tuple[str, ...] = ()


def verify(asked: VerifyOptions) -> tuple[int, Outline]:
    """Look until an apply is verified or the time is over; the exit code, and the report, which is
    collected for the envelope too.

    Raises:
        ReconcilerError: there is nothing to verify, or any fault of the documents, the plan, the
            journal or the tenant.
    """
    sealed = None if asked.plan is None else plan_files.plan_file(asked.plan)
    if sealed is not None and not sealed.plan.steps:
        return 0, verifications.nothing_outline(sealed.plan)
    case, last = _case(asked, sealed), _Seen()
    minutes = asked.timeout
    if minutes is None:
        minutes = 0 if case.simulated else MINUTES
    waiting = Waiting(time.time, time.sleep, _tell, _tell_failed)
    seen = wait(lambda: _look(case, last), waiting, waiting.clock() + minutes * _MINUTE)
    outcome = _told(case, last, seen)
    collecting.add_part("verification", verifications.verification_answer(outcome))
    return _exit_code(outcome), verifications.verification_outline(outcome)


def _exit_code(outcome: verifications.VerifiedApply) -> int:
    if outcome.in_part:
        return AppliedInPart.exit_code
    return 0 if outcome.verification.verified and not outcome.doors else NotVerified.exit_code


def _tell(seen: Verification, until: float) -> None:
    printing.notice([verifications.waiting_line(seen, until, time.time())])


def _tell_failed(fault: TenantFault) -> None:
    printing.say(f"{fault}\nThe tenant could not be read; it will be read again.", Tone.WARNING)


# --- what is verified


def _case(asked: VerifyOptions, sealed: SealedPlan | None) -> _Case:
    paths = asked.paths or options.DEFAULT_PATHS
    has_documents = bool(asked.paths) or paths[0].exists()
    documents = loading.documents(paths, PlanOptions()) if has_documents else None
    if sealed is None and documents is None:
        raise UsageFault(
            "name the plan that was applied (PLAN.json), or the documents (--path): without either,"
            " nothing says what the tenant should show"
        )
    reads = [*(paths if has_documents else ()), *(() if asked.plan is None else (asked.plan,))]
    target = None if documents is None else sources.target_of_documents(documents)
    if sealed is not None:
        target = sources.target_of_plan(sealed.plan)
    source = _readable(sources.choose(asked.tenant, target, reads))
    tenant_id = _tenant_id(sealed, documents)
    applied = _applied(asked, sealed, source, tenant_id)
    plan = None if sealed is None else sealed.plan
    simulated = isinstance(source, sources.SimulatedTenant)
    changed = verifying.changed_objects(applied, plan, simulated=simulated)
    return _Case(sealed, documents, source, applied, changed, tenant_id)


def _readable(source: sources.Source) -> sources.WritableSource:
    if isinstance(source, sources.CaptureFile):
        raise UsageFault(
            f"--tenant {source.path}: a capture shows a moment that has passed; verify reads the"
            " tenant itself: use `live`, or `sim:FILE`"
        )
    return source


def _tenant_id(sealed: SealedPlan | None, documents: Documents | None) -> str:
    """The tenant that the plan and the documents are for."""
    tenant = None if documents is None else documents.tenant
    declared = "" if tenant is None else tenant.tenant_id
    if sealed is None:
        if not declared:
            raise UsageFault(
                "the documents have no Tenant document, so they do not say whose journals count: add"
                " one, or name the plan that was applied"
            )
        return declared
    planned = sealed.plan.tenant.tenant_id
    if declared and declared != planned:
        raise UsageFault(
            f"the plan is for tenant {planned}, and the documents are for {declared}: name documents"
            " of the same tenant with --path"
        )
    return planned


def _applied(
    asked: VerifyOptions,
    sealed: SealedPlan | None,
    source: sources.WritableSource,
    tenant_id: str,
) -> LastApply:
    """What journals say.

    Raises:
        ReconcilerError: they say nothing.
        TamperedPlan: the named one is of something else.
    """
    key, origin = state_key(source, tenant_id), journal_origin(source)
    own, outside = state.existing(key, state.base(os.environ), asked.journals)
    digest = None if sealed is None else sealed.digest
    believed = believed_journals(own, outside, origin, tell_ignored)
    applied = last_apply(believed, origin, digest, asked.journal)
    if applied is None:
        subject = "an apply of this tenant" if digest is None else f"an apply of {digest}"
        raise ReconcilerError(
            f"there is nothing to verify: no journal here mentions {subject}. If it was applied"
            " elsewhere, name its journal with --journal FILE, or its folder with --state-dir DIR"
        )
    if applied.tenant not in {"", tenant_id.lower()}:
        raise TamperedPlan(
            f"{applied.journal}: is the journal of an apply to tenant {applied.tenant}, and this is"
            f" {tenant_id}; name a journal of this tenant"
        )
    return applied


# --- looking


def _look(case: _Case, last: _Seen) -> Verification:
    """Read the tenant once, and compare it with what was written.

    Raises:
        TenantFault, CaptureFault: it could not be read.
        TamperedPlan: the journal's steps do not follow from the plan.
    """
    tenant = sources.open_source(case.source, writes=False)
    try:
        observed, answered = _read(case, tenant)
        now = time.time()
        due = [each for each in case.objects if each.enforced_by <= now]
        observed = _with_scopes(case, tenant, observed, _policies(due))
        again = None
        if case.documents is not None:
            again = making.make_plan(case.documents, observed, PlanOptions())
        last.observed, last.doors = observed, _doors(again)
        comparison = verifying.superseded(_comparison(case, observed, again), case.applied)
        ask = tenant.verdict if isinstance(tenant, Checking) else None
        seen = verifying.Seen(observed, answered, now, ask)
        with working("Asking Exchange"):
            return verifying.verified(case.objects, comparison, seen)
    finally:
        sources.close(tenant)


def _comparison(case: _Case, observed: Observed, again: Plan | None) -> verifying.Comparison:
    if case.sealed is None:
        if again is None:
            raise TypeError("neither a plan nor documents")  # `_case` has refused it
        return verifying.compared_with_documents(again)
    try:
        return verifying.compared_with_plan(case.sealed.plan, case.applied, observed)
    except (KeyError, TypeError, ValueError) as error:
        raise TamperedPlan(
            f"{case.applied.journal}: says that steps are done that do not follow from the plan"
            f" ({error!r}): name the right plan and the right journal"
        ) from error


def _read(case: _Case, tenant: Tenant) -> tuple[Observed, frozenset[str]]:
    """The products, and everything that the plan, the documents and the journal name; and the users
    whose effective assignment the tenant outcome.
    """
    request = CaptureRequest(frozenset())
    if case.documents is not None:
        request = requests.capture_request(case.documents)
    if case.sealed is not None:
        own = prefixes.request_for_plan(case.sealed.plan)
        request = replace(
            request,
            products=request.products | own.products,
            tolerated=request.tolerated | own.tolerated,
        )
    users = verifying.asked_users(case.objects)
    request = replace(
        request,
        products=request.products | {verifying.product_of(each) for each in case.objects},
        users=tuple(dict.fromkeys((*request.users, *users))),
        effective=tuple(dict.fromkeys((*request.effective, *users))),
        holders_too=True,
        everything=case.simulated,
    )
    raw = tenant.capture(request)
    observed = _observed(raw, tenant, request, case.tenant_id)
    return observed, _answered(raw)


def _answered(raw: Mapping[str, Json]) -> frozenset[str]:
    """The users whose effective assignment was outcome."""
    teams = raw.get("teams")
    rows = teams.get("effective") if isinstance(teams, dict) else None
    return frozenset(
        str(row.get("user", "")).lower()
        for row in (rows if isinstance(rows, (list, tuple)) else ())
        if isinstance(row, dict)
    )


def _observed(
    raw: Mapping[str, Json], tenant: Tenant, request: CaptureRequest, tenant_id: str
) -> Observed:
    return sources.observed_of(sources.Captured(raw, tenant.source), request, tenant_id)


def _policies(objects: Iterable[ChangedObject]) -> list[ExchangePolicyAddress]:
    addresses = (parse_address(each.address.lower()) for each in objects)
    return [
        address
        for address in addresses
        if isinstance(address, ExchangePolicyAddress) and address.application != EVERY_APPLICATION
    ]


def _with_scopes(
    case: _Case, tenant: Tenant, observed: Observed, policies: list[ExchangePolicyAddress]
) -> Observed:
    """The same reading with the members of scopes, where there is something to probe."""
    exchange = observed.state(ExchangeState)
    if case.simulated or not policies or exchange is None:
        return observed
    probed = policies[: verifying.MOST_POLICIES]
    scopes = probing.scopes(exchange, {policy.application for policy in probed})
    request = CaptureRequest(
        frozenset({"exchange"}),
        recipients=tuple(dict.fromkeys((*(policy.scope for policy in probed), *scopes))),
        rows_only=True,
    )
    read = _observed(tenant.capture(request), tenant, request, case.tenant_id)
    directory = replace(
        observed.directory,
        recipients={**observed.directory.recipients, **read.directory.recipients},
        absent=observed.directory.absent | read.directory.absent,
    )
    return replace(observed, directory=directory, states={**observed.states, **read.states})


def _doors(again: Plan | None) -> tuple[str, ...]:
    """What lets quarantined applications in."""
    if again is None:
        return ()
    verdict = review(again, loading.sealed_plan(again).digests).verdict
    return tuple(filter(None, (phrases.let_in(verdict), phrases.open_doors(verdict))))


# --- telling


def _told(case: _Case, last: _Seen, seen: Verification) -> verifications.VerifiedApply:
    observed = last.observed
    if observed is None:
        raise TypeError("nothing was read")  # `wait` looks at least once
    collected = collecting.current()
    collected.tenant = PlanTenant(observed.tenant_id, observed.organization)
    collected.simulated = case.simulated
    return verifications.VerifiedApply(
        simulated=case.simulated,
        tenant_id=observed.tenant_id,
        organization=observed.organization,
        applied=case.applied,
        verification=seen,
        doors=last.doors,
        names=_names(case, observed),
        by_plan=case.sealed is not None,
    )


def _names(case: _Case, observed: Observed) -> Mapping[str, str]:
    texts = "\n".join(each.address for each in case.objects).lower()
    ids = set(GUID.findall(texts))
    names = naming.of_ids(observed, ids)
    if case.documents is not None:
        declared = naming.declared(case.documents)
        names |= {key: name for key, name in declared.items() if key in ids}
    if case.sealed is not None:
        names |= {key: name for key, name in case.sealed.plan.names.items() if key in ids}
    return {key: name for key, name in sorted(names.items()) if name}
