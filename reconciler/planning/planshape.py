"""The shape of a plan file, as `schemas/plan.schema.json` says it, compiled: 100,000 steps are
looked at in a tenth of a second.

A file can be canonical and sealed and still be none that this tool has written. What is checked
here, whoever reads the plan can rely on. Fields that are not known are let be: a newer minor
version may have some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

_Guid: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
_Sha256: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Address: TypeAlias = Annotated[
    str, Meta(pattern=r"^(teams\.(policy|grant|application)|exchange\.(policy|application))/.")
]
_Cmdlet: TypeAlias = Annotated[
    str, Meta(pattern="^(New|Set|Grant|Remove)-(Cs)?ApplicationAccessPolicy$")
]
_Consent: TypeAlias = Annotated[str, Meta(pattern="^[a-z-]+:.+$")]
_Count: TypeAlias = Annotated[int, Meta(ge=0)]
_Number: TypeAlias = Annotated[int, Meta(ge=1)]
_Provider: TypeAlias = Literal["teams", "exchange"]
_Certainty: TypeAlias = Literal["certain", "possible"]
_SubjectKind: TypeAlias = Literal["user", "mailbox", "group-members", "policy-holders", "everyone"]
_Value: TypeAlias = "str | int | bool | list[str] | dict[str, list[str]] | None"


class _Tool(Struct):
    name: Literal["reconciler"]
    version: str


class _Tenant(Struct):
    tenantId: _Guid  # noqa: N815  as the file spells it
    organization: str


class _Inputs(Struct):
    documents_digest: _Sha256
    capture_digest: _Sha256
    capture_taken_at: str
    source: Literal["live", "capture", "simulated"]


class _Note(Struct):
    address: str
    code: str
    details: dict[str, Any]


class _Attribute(Struct):
    name: str
    before: Any
    after: Any
    added: list[str]
    removed: list[str]


class _Change(Struct):
    address: _Address
    kind: Literal["TeamsApplicationAccessPolicy", "TeamsGrant", "ExchangeApplicationAccessPolicy"]
    actions: Annotated[
        list[Literal["create", "update", "delete"]], Meta(min_length=1, max_length=2)
    ]
    action_reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    attributes: list[_Attribute]
    replaces: _Address | None


class _Step(Struct):
    id: _Number
    address: _Address
    provider: _Provider
    cmdlet: _Cmdlet
    parameters: dict[str, _Value]
    text: str
    reason: str
    temporary: bool
    gaps: list[int]


class _TeamsPolicy(Struct):
    applications: list[str]
    description: str
    identity: str


class _GroupGrant(Struct):
    group: str
    policy: str


class _TeamsBaseline(Struct):
    policies: dict[str, _TeamsPolicy | None]
    groups: list[_GroupGrant]
    users: dict[str, str | None]
    others: dict[str, bool]


class _ExchangePolicy(Struct):
    accessRight: Literal["RestrictAccess", "DenyAccess"]  # noqa: N815
    description: str
    identity: str
    scope: str
    sid: str
    storedDescription: str  # noqa: N815


class _Guard(Struct):
    id: str
    members: Annotated[list[str], Meta(max_length=0)]
    sid: str


class _Baseline(Struct):
    teams: _TeamsBaseline | None = None
    exchange: dict[str, list[_ExchangePolicy] | _Guard] | None = None


class _Part(Struct):
    kind: _SubjectKind
    id: str


class _Subject(Struct, rename={"excepted": "except"}):
    kind: _SubjectKind
    id: str = ""
    excepted: list[_Part] = []


class _AccessRow(Struct):
    application: str
    certainty: _Certainty
    provider: _Provider
    subject: _Subject


class _TenantWide(_AccessRow):
    was: list[_Subject]


class _Access(Struct):
    gained: list[_AccessRow]
    lost: list[_AccessRow]
    tenant_wide: list[_TenantWide]


class _GapSubject(Struct, rename={"excepted": "except", "together": "and"}):
    kind: _SubjectKind
    id: str = ""
    together: list[str] = []
    excepted: list[_Part] = []


class _Gap(Struct):
    application: str
    certainty: _Certainty
    proved: bool
    reason: str
    steps: list[_Number]
    subject: _GapSubject


class _Reason(Struct):
    address: str
    asked: str
    holds: bool | None


class _Why(Struct):
    decided_by: str | None
    path: list[_Reason]
    unknown: list[str]


class _Tested(Struct):
    id: str
    kind: Literal["mailbox", "user"]


class _Test(Struct):
    application: str
    excused: bool
    expected: Literal["granted", "denied"]
    name: str
    passed: bool
    subject: _Tested
    verdict: Literal["granted", "denied", "depends"]
    why: _Why


class _PlanFile(Struct):
    access: _Access | None
    applicable: bool
    baseline: _Baseline
    changes: list[_Change]
    connect: dict[str, Any]
    consents: list[_Consent]
    displaced: list[_Note]
    format_version: str
    gaps: list[_Gap] | None
    held: list[_Note]
    inputs: _Inputs
    names: dict[str, str]
    refusals: list[_Note]
    steps: list[_Step]
    summary: dict[str, _Count]
    tenant: _Tenant
    tests: list[_Test]
    tool: _Tool
    unmanaged: list[_Note]
    unresolved: list[_Note]
    warnings: list[_Note]


def flaw(raw: Mapping[str, Any]) -> str | None:
    """What is wrong with the shape of a parsed plan file, and where (`$.steps[3].id`); None if
    nothing is.
    """
    try:
        plan = msgspec.convert(raw, _PlanFile)
    except msgspec.ValidationError as error:
        return str(error)
    return next(
        (
            f"step {step.id} stands in place {place}"
            for place, step in enumerate(plan.steps, 1)
            if step.id != place
        ),
        None,
    )
