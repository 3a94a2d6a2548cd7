"""What a run says to a machine: one envelope for every command and every exit code.

`schemas/output.schema.json` is the same types as a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from reconciler.model.answers import (
    DiagnosisAnswer,
    DriftAnswer,
    ExplanationAnswer,
    ListAnswer,
    ReachAnswer,
    RehearsalAnswer,
    VerificationAnswer,
    WhoAnswer,
)
from reconciler.model.applied import Applied
from reconciler.model.findings import Position, Severity
from reconciler.model.plans import PlanTenant, Tool
from reconciler.model.since import Since
from reconciler.model.test_results import AccessTestResult

OUTPUT_VERSION = "1.0"

_Count: TypeAlias = Annotated[int, Meta(ge=0)]


class ExitName(StrEnum):
    """What an exit code means, in a word that stays."""

    OK = "ok"
    ERROR = "error"
    CHANGES_PENDING = "changes-pending"
    FINDINGS = "findings"
    REFUSED = "refused"
    STALE = "stale"
    APPLIED_IN_PART = "applied-in-part"
    NOT_VERIFIED = "not-verified"
    LOCKED = "locked"
    USAGE = "usage"
    INTERRUPTED = "interrupted"


EXIT_NAMES: Mapping[int, ExitName] = {
    0: ExitName.OK,
    1: ExitName.ERROR,
    2: ExitName.CHANGES_PENDING,
    3: ExitName.FINDINGS,
    4: ExitName.REFUSED,
    5: ExitName.STALE,
    6: ExitName.APPLIED_IN_PART,
    7: ExitName.NOT_VERIFIED,
    8: ExitName.LOCKED,
    64: ExitName.USAGE,
    130: ExitName.INTERRUPTED,
}


WORST_LAST: tuple[int, ...] = (0, 2, 4, 3, 64, 8, 5, 7, 6, 1, 130)
"""Exit codes in the order in which several runs become one: the worst of them counts. A refused plan
is known, documents with faults were not compared, and of an error nothing is known.
"""


class OutputFinding(Struct, frozen=True):
    """A fault of the documents, with its place: lines and columns from 1."""

    column: Annotated[int, Meta(ge=1)]
    file: str
    line: Annotated[int, Meta(ge=1)]
    message: str
    path: str
    rule: str
    severity: Severity
    subject: str


class OutputTest(AccessTestResult, frozen=True, omit_defaults=True):
    """An expectation as a plan file has it, and where it is written, if that is known."""

    position: Position | UnsetType = UNSET


class OutputRule(Struct, frozen=True):
    """A rule that a finding may name."""

    id: str
    title: str
    why: str


class OutputCheck(Struct, frozen=True):
    """One thing that `doctor` looked at."""

    about: str
    found: str
    health: str
    remedy: str
    what: str


class OutputDifference(Struct, frozen=True):
    """A member of two plans that an approval covers and that differs, and its objects that do."""

    member: str
    objects: tuple[str, ...]


class OutputDigests(Struct, frozen=True):
    """What a plan is approved by: the digest of its file, and that of what it does."""

    content_digest: Annotated[str, Meta(pattern="^content:[0-9a-f]{64}$")]
    digest: Annotated[str, Meta(pattern="^plan:[0-9a-f]{64}$")]


class OutputCapture(Struct, frozen=True):
    """A capture that was written."""

    file: str
    taken_at: str


class OutputRemark(Struct, frozen=True):
    """Something that `export` says of an object: what could not be written, or is worth a look."""

    address: str
    code: str
    message: str
    names: tuple[str, ...]


class OutputExport(Struct, frozen=True):
    """What `export` wrote: files that are new or longer, files of which nothing was left, and how
    many documents were left untouched because they say what the tenant has.
    """

    files: tuple[str, ...]
    kept: _Count
    remarks: tuple[OutputRemark, ...]
    removed: tuple[str, ...]


class OutputPatch(Struct, frozen=True):
    """The patch that `drift --patch` made: its file, null if nothing can be accepted in documents;
    addresses of what differs after it, and of what is in no document after it.
    """

    file: str | None
    left: tuple[str, ...]
    unmanaged: tuple[str, ...]


class OutputRevert(Struct, frozen=True):
    """A commit, of a merged branch the merge, and what of the documents that still asks for what an
    undo takes back came with it: lines (`FILE:LINE`), and files that it was the last to change.
    """

    commit: str
    lines: tuple[str, ...]


class OutputEffective(Struct, frozen=True):
    """What a reading made of the effective assignment of a user.

    Attributes:
        contradicts: It does not agree with the grants that were read.
        doubt: Why it is not used; empty if it says in which groups the user is.
        taken_at: When it was read.
        user: The user's object id; null where people are redacted.
    """

    contradicts: bool
    doubt: str
    taken_at: str
    user: str | None


class OutputInit(Struct, frozen=True):
    """Files that `init` wrote, and files that were there and were kept."""

    files: tuple[str, ...]
    kept: tuple[str, ...]


class OutputTenant(Struct, frozen=True):
    """A tenant of a repository: its Tenant document's name, id and domain, null if they cannot be
    read, and the PATHs that are read for it.
    """

    folder: str
    name: str
    organization: str | None
    paths: tuple[str, ...]
    tenant_id: str | None


class OutputFleetRow(Struct, frozen=True):
    """How the run of one tenant ended: its exit code, and what its own envelope says."""

    exit_code: _Count
    exit_name: ExitName
    folder: str
    paths: tuple[str, ...]
    summary: Mapping[str, _Count]
    tenant: str
    digests: OutputDigests | UnsetType = UNSET
    error: str | UnsetType = UNSET


class OutputFleet(Struct, frozen=True):
    """What `fleet` ran for each tenant, sorted by name."""

    command: tuple[str, ...]
    rows: tuple[OutputFleetRow, ...]


class OutputJob(Struct, frozen=True):
    """What `ci` left for a pipeline.

    Attributes:
        artefacts: Names of the files in its folder, this one among them.
        outputs: The outputs of the step, by name.
        platform: github, azure, or none.
    """

    artefacts: tuple[str, ...]
    outputs: Mapping[str, str]
    platform: str


class Output(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The envelope: what `--format json` prints and `--json-into` writes, whatever the exit code.
    Members that the run has nothing to say about are absent; readers ignore those that they don't
    know and refuse a newer major version.

    Attributes:
        applied: What an apply did with each step.
        capture: What `fetch` wrote.
        checks: What `doctor` found.
        command: The command; empty if none could be told.
        diagnosis: The answer of `diagnose`.
        differences: What an approval does not cover (`show --against`).
        digests: Those of the plan that the run was about.
        drift: How the tenant differs from what is known of it (`drift`).
        effective: Effective assignments of users that a reading uses, or does not for a reason.
        error: Why the run ended as it did, in words: what is wrong and what to do.
        exit_code: The exit code of the process.
        exit_name: Its meaning.
        explanation: The answer of `explain`.
        export: What `export` wrote.
        fleet: How the run of each tenant ended (`fleet`).
        findings: Faults of the documents; where there are many, the last one counts the others.
        format_version: Major and minor version of the envelope.
        init: What `init` wrote.
        inventory: What a tenant has (`list`).
        job: What a job of a pipeline left (`ci`).
        names: Ids to names, for people, of what `tests` is about.
        patch: What accepts in documents what the tenant has (`drift --patch`).
        plan: The plan that was made or shown, as its file has it.
        reach: What an application reaches (`reach`).
        rehearsal: What `rehearse` tried, and how each run ended.
        reverts: Commits whose lines still ask for what `undo` takes back.
        rules: Every rule (`validate --rules`).
        simulated: Whether it is about a simulated tenant.
        since: How the documents of a plan compare with those of an earlier commit (`--since`).
        summary: Figures, by dotted names; those that the run has nothing to say about are absent.
        tenant: The tenant that it is about.
        tenants: The tenants of a repository (`tenants`).
        tests: Results of access tests.
        tool: What wrote it.
        verification: What became of an apply (`verify`).
        who: Which applications reach somebody (`who`).
    """

    command: str
    exit_code: _Count
    exit_name: ExitName
    findings: tuple[OutputFinding, ...]
    format_version: Annotated[str, Meta(pattern="^1\\.[0-9]+$")]
    summary: Mapping[str, _Count]
    tests: tuple[OutputTest, ...]
    tool: Tool
    applied: Applied | UnsetType = UNSET
    capture: OutputCapture | UnsetType = UNSET
    checks: tuple[OutputCheck, ...] | UnsetType = UNSET
    diagnosis: DiagnosisAnswer | UnsetType = UNSET
    differences: tuple[OutputDifference, ...] | UnsetType = UNSET
    digests: OutputDigests | UnsetType = UNSET
    drift: DriftAnswer | UnsetType = UNSET
    effective: tuple[OutputEffective, ...] | UnsetType = UNSET
    error: str | UnsetType = UNSET
    explanation: ExplanationAnswer | UnsetType = UNSET
    export: OutputExport | UnsetType = UNSET
    fleet: OutputFleet | UnsetType = UNSET
    init: OutputInit | UnsetType = UNSET
    inventory: ListAnswer | UnsetType = UNSET
    job: OutputJob | UnsetType = UNSET
    names: Mapping[str, str] | UnsetType = UNSET
    patch: OutputPatch | UnsetType = UNSET
    plan: Any = UNSET
    reach: ReachAnswer | UnsetType = UNSET
    rehearsal: RehearsalAnswer | UnsetType = UNSET
    reverts: tuple[OutputRevert, ...] | UnsetType = UNSET
    rules: tuple[OutputRule, ...] | UnsetType = UNSET
    simulated: bool | UnsetType = UNSET
    since: Since | UnsetType = UNSET
    tenant: PlanTenant | UnsetType = UNSET
    tenants: tuple[OutputTenant, ...] | UnsetType = UNSET
    verification: VerificationAnswer | UnsetType = UNSET
    who: WhoAnswer | UnsetType = UNSET
