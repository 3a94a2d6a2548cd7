"""Facts of the toy."""

from __future__ import annotations

from typing import Final

from reconciler.model.documents import Kind
from reconciler.model.product_facts import ProductFacts, SignInFacts

FACTS: Final = ProductFacts(
    title="Toy",
    noun="ToyName",
    turn=2,
    document_kind=Kind.TOY_NAMES,
    selectable=("toy.name/NAME",),
    subject_key=None,
    access_title="Names (Toy)",
    everyone="EVERY name",
    propagation="at once.",
    enforced_after=1,
    verified_after=1,
    unexplained="A name that was added is asked for at once.",
    module="Toy",
    minimum="1.0.0",
    versions="1.0.0",
    clouds={},
    reads=("Get-ToyName",),
    writes=("New-ToyName", "Remove-ToyName"),
    roles=("Toy Reader", "Toy Administrator"),
    permission="Toy.Manage",
    sign_in=SignInFacts(
        connect="Connect-Toy -TenantId:{tenant}",
        cloud_parameter="Cloud",
        cmdlets_parameter=None,
        sessions=None,
        tenant_property="TenantId",
        disconnect="Disconnect-Toy",
    ),
)
