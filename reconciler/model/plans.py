"""The plan: an immutable value that holds everything a reviewer reads and everything an apply runs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Address, Provider


class Action(StrEnum):
    """What happens to an object.

    Replacing is two changes that name each other, a flip is one with `(DELETE, CREATE)`.
    """

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class AttributeChange(Struct, frozen=True):
    """One attribute of a changed object.

    Of a list of ids only `added` and `removed` are set, of anything else `before` and `after`.
    """

    name: str
    before: Json = None
    after: Json = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Change(Struct, frozen=True, rename={"reason": "action_reason"}):
    """What a plan does to one object.

    `reason` is a code for readers; nothing may branch on it. Written as it stands, like its steps.
    """

    address: Address
    kind: str
    actions: tuple[Action, ...]
    reason: str
    before: Mapping[str, Json] | None
    after: Mapping[str, Json] | None
    attributes: tuple[AttributeChange, ...] = ()
    replaces: Address | None = None


class Invocation(Struct, frozen=True):
    """One cmdlet call as data.

    Values: str, bool, int, None, a tuple of str, or a mapping of `Add`/`Remove` to tuples of str.
    """

    cmdlet: str
    parameters: Mapping[str, Json]


class Draft(Struct, frozen=True):
    """A step before it has a number and a text."""

    address: Address
    invocation: Invocation
    reason: str
    temporary: bool = False


class Step(Struct, frozen=True):
    """One invocation of a plan; `text` is exactly what PowerShell will run.

    `id` counts from 1 over both products.
    """

    id: int
    address: Address
    provider: Provider
    cmdlet: str
    parameters: Mapping[str, Json]
    text: str
    reason: str
    temporary: bool = False
    gaps: tuple[int, ...] = ()


class Note(Struct, frozen=True):
    """A warning, refusal, displaced or held object as data: a code, what it is about, and details
    for the reader's text.
    """

    code: str
    address: str
    details: Mapping[str, Json]


class Inputs(Struct, frozen=True):
    """What the plan was made from: digests are `documents:`/`capture:` free hex; `source` is live,
    capture or simulated.
    """

    documents_digest: str
    capture_digest: str
    capture_taken_at: str
    source: str


class Plan(Struct, frozen=True):
    """A reviewed set of steps.

    Field by field the plan file; `access` and `gaps` are None when not computed.

    `baseline` is `{"teams": {...} | null, "exchange": {...} | null}` as `kinds.*.baseline` writes
    and reads it. `unmanaged` rows are `{address, ...}`; `refusals` carry `allow`, the exact
    consent, in their details when there is one.
    """

    tenant_id: str
    organization: str
    connect: Mapping[str, Json]
    applicable: bool
    held: tuple[Note, ...]
    inputs: Inputs
    baseline: Mapping[str, Json]
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    unmanaged: tuple[Note, ...]
    displaced: tuple[Note, ...]
    unresolved: tuple[Note, ...]
    consents: tuple[str, ...]
    refusals: tuple[Note, ...]
    warnings: tuple[Note, ...]
    names: Mapping[str, str]
    summary: Mapping[str, int]
    access: Json = None
    gaps: Json = None
    tests: tuple[Mapping[str, Json], ...] = ()
