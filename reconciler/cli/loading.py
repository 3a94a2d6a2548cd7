"""Documents and plans for the commands that need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.access.declared_at import positions
from reconciler.cli import collecting, printing, sources
from reconciler.cli.working import working
from reconciler.documents import examine_documents
from reconciler.errors import DocumentFaults, UsageFault
from reconciler.model.addresses import GLOBAL, Address, teams_policy
from reconciler.model.findings import Severity
from reconciler.planning import making, planfile, requests
from reconciler.planning.concerned import concerned
from reconciler.planning.making import PlanOptions
from reconciler.reports import findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.model.documents import Documents
    from reconciler.model.findings import Position
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan
    from reconciler.model.since import Since
    from reconciler.planning.planfile import SealedPlan
    from reconciler.planning.since import EarlierDocuments


class Made(Struct, frozen=True):
    """A plan, the tenant that it was made for, where the documents declare what changes and give the
    consents that it uses, and what it was made of.
    """

    plan: Plan
    source: sources.Source
    places: Mapping[str, Position]
    documents: Documents
    observed: Observed


def documents(
    paths: Sequence[Path], options: PlanOptions, *, tenant: str | None = None
) -> Documents:
    """Load documents; with `--only` just the faults that concern the selection block. `tenant`: its
    name, if its Tenant document is elsewhere.

    Raises:
        DocumentFaults: an error concerns what is selected; carries all of those.
        UsageFault: an address of the options is none.
    """
    with working("Reading the documents"):
        examined = examine_documents(paths, tenant=tenant)
    collecting.current().findings = examined.findings
    concern = concerned(options.only, options.skip, examined.documents)
    blocking = [
        finding
        for finding in examined.findings
        if finding.severity is Severity.ERROR
        and concern.is_blocked_by(finding, examined.text_at(finding))
    ]
    if blocking:
        raise DocumentFaults(blocking)
    if examined.findings:
        printing.notice(findings.passed_over_lines(examined.findings))
    return examined.documents


def made(paths: Sequence[Path], tenant: str | None, options: PlanOptions) -> Made:
    """Plan documents against a tenant.

    Raises:
        ReconcilerError: any fault of the documents, the tenant or the options.
    """
    try:
        wanted = documents(paths, options)
    except DocumentFaults as faults:
        from reconciler.cli import display_names  # noqa: PLC0415  lazy: most documents have no fault

        raise display_names.with_ids(faults, tenant, paths) from None
    tenant_id = wanted.tenant.tenant_id if wanted.tenant is not None else None
    source = sources.choose(tenant, sources.target_of_documents(wanted), paths)
    request = requests.capture_request(
        wanted, names=not isinstance(source, sources.CaptureFile), allow=options.allow
    )
    observed = sources.observe_source(source, request, tenant_id)
    with working("Planning"):
        plan = making.make_plan(wanted, observed, options)
        changed = [change.address for change in plan.changes]
        changed.append(teams_policy(GLOBAL))  # declares a tenant-wide grant
        notes = (*plan.unresolved, *plan.held, *plan.warnings)
        changed += [Address(note.address) for note in notes if "text" in note.details]
        consents = {
            text: wanted.tenant.position
            for text in plan.consents
            if wanted.tenant is not None and text in wanted.tenant.consents
        }
        places_of_changes = positions(wanted, observed.directory, changed)
        return Made(plan, source, places_of_changes | consents, wanted, observed)


def compared_with_earlier(made: Made, earlier: EarlierDocuments, options: PlanOptions) -> Since:
    """Compare the documents of a plan with those of an earlier commit.

    Raises:
        UsageFault: as the plan itself.
    """
    from reconciler.planning.since import compared_with  # noqa: PLC0415  lazy: only --since

    with working("Comparing with the earlier documents"):
        return compared_with(earlier, made.documents, made.observed, options, made.plan)


def places(plan: Plan, paths: Sequence[Path], tenant: str | None) -> Mapping[str, Position]:
    """Where the documents that a plan was made from declare what it changes, by address.

    Raises:
        ReconcilerError: any fault of the documents or of the tenant.
        UsageFault: these are not the documents of the plan.
    """
    again = made(paths, tenant, PlanOptions())
    if again.plan.inputs.documents_digest != plan.inputs.documents_digest:
        raise UsageFault(
            "the plan was not made from these documents, or the names in them mean other objects"
            " now: show it without them, or plan again"
        )
    return again.places


def sealed_plan(plan: Plan, *files: Path) -> SealedPlan:
    """Give a plan its digests, and write it to these files.

    Raises:
        OSError: a file cannot be written.
    """
    with working("Writing the plan" if files else "Sealing the plan"):
        return planfile.sealed(plan, *files)
