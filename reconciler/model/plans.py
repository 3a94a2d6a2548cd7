"""The plan: an immutable value that holds everything a reviewer reads and everything an apply runs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, assert_never

from msgspec import UNSET, Meta, Struct, UnsetType

from reconciler.canonical import Json
from reconciler.model.access_rows import AccessDelta, GapRow, StepNumber
from reconciler.model.addresses import Address, Provider
from reconciler.model.baselines import Baseline
from reconciler.model.documents import UnknownGroups
from reconciler.model.observed import Origin
from reconciler.model.test_results import AccessTestResult

FORMAT_VERSION = "2.0"
"""Also fixes the templates, the order of parameters and the place of -Confirm."""

_Guid: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
_Sha256: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_PlanDigest: TypeAlias = Annotated[str, Meta(pattern="^plan:[0-9a-f]{64}$")]
_Address: TypeAlias = Annotated[
    Address,
    Meta(pattern=r"^(teams\.(policy|grant|application)|exchange\.(policy|application))/."),
]
_Cmdlet: TypeAlias = Annotated[
    str, Meta(pattern="^(New|Set|Grant|Remove)-(Cs)?ApplicationAccessPolicy$")
]
_Consent: TypeAlias = Annotated[str, Meta(pattern="^[a-z-]+:.+$")]
_Count: TypeAlias = Annotated[int, Meta(ge=0)]

ParameterValue: TypeAlias = str | int | bool | list[str] | dict[str, list[str]] | None
"""What a parameter of a cmdlet can be; a mapping is of `Add` and `Remove`."""


class ObjectKind(StrEnum):
    """What a plan can change."""

    TEAMS_POLICY = "TeamsApplicationAccessPolicy"
    TEAMS_GRANT = "TeamsGrant"
    EXCHANGE_POLICY = "ExchangeApplicationAccessPolicy"

    @property
    def plural(self) -> Literal["policies", "grants"]:
        """What the closing lines count it as."""
        match self:
            case ObjectKind.TEAMS_GRANT:
                return "grants"
            case ObjectKind.TEAMS_POLICY | ObjectKind.EXCHANGE_POLICY:
                return "policies"
            case _:
                assert_never(self)


class Action(StrEnum):
    """What happens to an object.

    Replacing is two changes that name each other. A flip, an Exchange policy whose access right
    changes while its scope stays, is one with `(DELETE, CREATE)`.
    """

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class AttributeChange(Struct, frozen=True):
    """One attribute of a changed object.

    Of a list of ids only `added` and `removed` are set, of anything else `before` and `after`.
    """

    name: str
    before: Json
    after: Json
    added: tuple[str, ...]
    removed: tuple[str, ...]


class Change(Struct, frozen=True, rename={"reason": "action_reason"}):
    """What a plan does to one object.

    `before` and `after` are its attributes; None: it does not exist. `reason` is a code for
    readers; nothing may branch on it.
    """

    address: _Address
    kind: ObjectKind
    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=2)]
    reason: str
    before: Mapping[str, Json] | None
    after: Mapping[str, Json] | None
    attributes: tuple[AttributeChange, ...]
    replaces: _Address | None


class Invocation(Struct, frozen=True):
    """One cmdlet call as data.

    Values: str, bool, int, None, a list of str, or a mapping of `Add`/`Remove` to lists of str.
    """

    cmdlet: str
    parameters: Mapping[str, Json]


class StepDraft(Struct, frozen=True):
    """A step before it has a number and a text."""

    address: Address
    invocation: Invocation
    reason: str
    temporary: bool = False


class Step(Struct, frozen=True):
    """One invocation of a plan; `text` is exactly what PowerShell will run.

    `id` counts from 1 over all products. `gaps` are indexes into the plan's gaps. `temporary`: a
    later step undoes it.
    """

    id: StepNumber
    address: _Address
    provider: Provider
    cmdlet: _Cmdlet
    parameters: Mapping[str, ParameterValue]
    text: str
    reason: str
    temporary: bool
    gaps: tuple[int, ...]


class Note(Struct, frozen=True):
    """A warning, refusal, displaced or held object as data: a code, what it is about, and details
    for the reader's text.
    """

    code: str
    address: str
    details: Mapping[str, Json]


class PlanLimits(Struct, frozen=True, rename="camel"):
    """How much the plan was allowed to take away: either number refuses; percentages are 0 to 100.
    And how many people one application might newly reach by it.
    """

    max_delete_percent: _Count
    max_deletes: _Count
    max_removal_percent: _Count
    max_removals: _Count
    max_people: _Count = 100
    unknown_groups: UnknownGroups = UnknownGroups.NAME


class WidenedList(Struct, frozen=True, order=True):
    """A policy whose list a step makes longer, or that it makes under a name that is held already, and
    who held it when the tenant was read: SHA-256 of the canonical JSON of `[users, groups]`, ids in
    lower case and sorted. Whoever approves that three people gain an application has not approved it
    for five thousand.
    """

    address: _Address
    holders: _Sha256


class ListHolders(Struct, frozen=True, order=True):
    """A policy whose list a step makes shorter, and who held it when the tenant was read: SHA-256 of
    the canonical JSON of `[users, groups]`, users by lower-case ids and sorted, `groups` all
    `[group, policy]` in rank order if any of them holds it. Whoever got the policy since would gain
    by having the step undone, and lose by it beyond limits that were lifted for others.
    """

    address: _Address
    holders: _Sha256


class Inputs(Struct, frozen=True):
    """What a plan was made from: SHA-256 digests in hexadecimal, when the tenant was read (ISO 8601)
    and where.
    """

    documents_digest: _Sha256
    capture_digest: _Sha256
    capture_taken_at: str
    source: Origin


class PlanTenant(Struct, frozen=True, rename={"tenant_id": "tenantId"}):
    """The tenant that a plan is for: its id and its initial domain; never where it was read from."""

    tenant_id: _Guid
    organization: str


class Tool(Struct, frozen=True):
    """What wrote a plan file."""

    name: Literal["reconciler"]
    version: str


class Plan(Struct, frozen=True):
    """A reviewed set of steps: field by field the plan file, which has both digests besides.

    Attributes:
        access: Who gains and loses access; None is not computed.
        applicable: Whether `apply` takes the plan: nothing refused, nothing unresolved.
        baseline: The observed state that the plan's safety rests on.
        changes: What happens to each object, sorted by address.
        connect: How a live tenant is connected to: names of environment variables, never values.
        consents: `RULE:ADDRESS`, needed and given, sorted.
        displaced: Policies of no document that grants are taken away from.
        format_version: Major and minor version of the file's format.
        gaps: What is granted before and after and missing in between; None is not computed.
        held: Objects left at their observed value: by --only or --skip, because the tenant has
            something there that is not understood, or because a scope is not there.
        inputs: What the plan was made from.
        limits: The mass-change limits that it was checked against.
        narrowed: Policies whose list a step makes shorter, sorted by address; unset if there are none.
        names: Ids to names, for people only.
        refusals: What a guard refuses; `details["allow"]` is the consent that lifts it, if one does.
        steps: The invocations in the order they run.
        summary: Figures of the closing lines.
        tenant: The tenant that the plan is for.
        tests: Results of access tests on the plan's outcome.
        tool: What wrote the file.
        undoes: The digest of the plan that this one undoes; unset if it undoes none.
        unmanaged: Objects of no document, left alone.
        unresolved: Names that nothing resolves: changes without a step.
        warnings: What a reviewer should know.
        widened: Policies whose list a step makes longer, sorted by address.
    """

    access: AccessDelta | None
    applicable: bool
    baseline: Baseline
    changes: tuple[Change, ...]
    connect: Mapping[str, Json]
    consents: tuple[_Consent, ...]
    displaced: tuple[Note, ...]
    format_version: Annotated[str, Meta(pattern="^2\\.[0-9]+$")]
    gaps: tuple[GapRow, ...] | None
    held: tuple[Note, ...]
    inputs: Inputs
    limits: PlanLimits
    names: Mapping[str, str]
    refusals: tuple[Note, ...]
    steps: tuple[Step, ...]
    summary: Mapping[str, _Count]
    tenant: PlanTenant
    tests: tuple[AccessTestResult, ...]
    tool: Tool
    unmanaged: tuple[Note, ...]
    unresolved: tuple[Note, ...]
    warnings: tuple[Note, ...]
    widened: tuple[WidenedList, ...]
    narrowed: tuple[ListHolders, ...] | UnsetType = UNSET
    undoes: _PlanDigest | UnsetType = UNSET

    def shortened(self) -> tuple[ListHolders, ...]:
        """Policies whose list a step makes shorter."""
        return () if isinstance(self.narrowed, UnsetType) else self.narrowed

    def undone_plan(self) -> str:
        """The digest of the plan that this one undoes; empty if it undoes none."""
        return "" if isinstance(self.undoes, UnsetType) else self.undoes
