"""A tenant as it is and as documents would leave it, for the commands that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access import reaching
from reconciler.audiences.questions import Known
from reconciler.cli import collecting, loading, options, sources
from reconciler.cli.working import working
from reconciler.errors import UsageFault
from reconciler.guids import GUID
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.plans import PlanTenant
from reconciler.model.requests import CaptureRequest
from reconciler.planning import making, naming, outcomes, requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from reconciler.model.desired import Desired
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed


class Survey(Struct, frozen=True):
    """A tenant and the documents beside it.

    Attributes:
        observed: The tenant.
        now: What is known of it.
        after: The same once the documents are applied; None without documents.
        documents: The documents; None if there are none.
        unresolved: How many names in them were not found.
    """

    observed: Observed
    now: Known
    after: Known | None
    documents: Documents | None
    unresolved: int = 0

    @property
    def simulated(self) -> bool:
        """Whether the tenant is a simulated one."""
        return self.observed.source == "simulated"

    def desired(self) -> Desired | None:
        """What the documents want, with ids; None without documents.

        Raises:
            DocumentFaults: two names turn out to be the same.
        """
        if self.documents is None:
            return None
        return making.resolve_desired(self.documents, self.observed, making.PlanOptions())

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """Names for people of these ids, as far as anything tells."""
        return naming.known(set(ids), self.documents, self.observed)


def survey(
    paths: Sequence[Path], tenant: str | None, *, users: Sequence[str] = (), after: bool = True
) -> Survey:
    """Read the tenant, and the documents if there are any.

    Args:
        paths: documents; the default folder may be missing.
        tenant: `--tenant`.
        users: names of people who are asked about, for a live tenant.
        after: whether anybody asks what the documents would change.

    Raises:
        ReconcilerError: any fault of the documents or the tenant.
    """
    documents = documents_beside(paths)
    target = None if documents is None else sources.target_of_documents(documents)
    source = sources.choose(tenant, target, paths)
    request = _request(documents, users, everything=not isinstance(source, sources.LiveTenant))
    tenant_id = None if target is None else target.tenant_id
    observed = sources.observe_source(source, request, tenant_id, digested=False)
    collected = collecting.current()
    collected.tenant = PlanTenant(observed.tenant_id, observed.organization)
    collected.simulated = observed.source == "simulated"
    now = Known(observed.states, observed.directory)
    if documents is None or not after:
        return Survey(observed, now, None, documents)
    with working("Comparing the documents"):
        later, unresolved = outcomes.after_documents(documents, observed)
    return Survey(observed, now, later, documents, unresolved)


def documents_beside(paths: Sequence[Path]) -> Documents | None:
    """Documents that may be missing: without a PATH, and without the default one, there are none.

    Raises:
        DocumentFaults, UsageFault: the documents have faults, or a PATH does not exist.
    """
    if tuple(paths) == options.DEFAULT_PATHS and not options.DEFAULT_PATHS[0].exists():
        return None
    return loading.documents(paths, making.PlanOptions())


def _request(
    documents: Documents | None, users: Sequence[str], *, everything: bool
) -> CaptureRequest:
    if documents is None:
        request = CaptureRequest(requests.every_product())
    else:
        request = requests.capture_request(documents)
        request = replace(request, products=request.products | requests.reachable(documents))
    return replace(
        request,
        users=(*request.users, *users),
        effective=(*request.effective, *users),
        recipients=(*request.recipients, *users),
        everything=everything,
    )


def application_of(text: str, documents: Documents | None) -> str:
    """The client id of an application: its name in the documents, or a client id, in any case.

    Raises:
        UsageFault: it is neither.
    """
    name = text.lower()
    if name == EVERY_APPLICATION or GUID.fullmatch(name):
        return name
    declared = () if documents is None else documents.applications
    matching = [item for item in declared if item.name.lower() == name]
    if not matching:
        names = ", ".join(item.name for item in declared) or "none"
        raise UsageFault(
            f"{text!r} is not a client id, and no document declares an application with that name;"
            f" declared: {names}"
        )
    return matching[0].application


def every_application(survey_of: Survey) -> list[str]:
    """Every application that a policy or a document names, sorted."""
    declared = () if survey_of.documents is None else survey_of.documents.applications
    named = reaching.named_applications((survey_of.now, survey_of.after))
    return sorted(named | {document.application for document in declared})
