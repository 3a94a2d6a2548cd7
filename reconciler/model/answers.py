"""What commands answer to a machine: members of the envelope that one command has."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

_Count: TypeAlias = Annotated[int, Meta(ge=0)]

VerdictWord: TypeAlias = Literal["granted", "denied", "depends"]
"""An answer; `depends` on what is not known."""


class NamedId(Struct, frozen=True):
    """An id and what people call it; null if that is not known."""

    id: str
    name: str | None


class AskedSubject(Struct, frozen=True):
    """Who a question is about; not `resolved`: `id` is the text of the question."""

    id: str
    kind: str
    name: str | None
    resolved: bool


class AnswerReason(Struct, frozen=True):
    """One question on the way to a verdict: what was asked of which object, whether that holds, and
    where the documents declare it; null is not known.
    """

    address: str
    asked: str
    declared_at: str | None
    holds: bool | None


class AnswerAdvice(Struct, frozen=True):
    """What would change a verdict."""

    address: str
    declared_at: str | None
    remedy: str


class ExplanationAnswer(Struct, frozen=True):
    """Why an application reaches somebody, or not.

    Attributes:
        application: Who asks for access.
        basis: The state that it is about: desired, plan, capture or now.
        decided_by: The object that the verdict hangs on; null if it is not decided.
        path: The way to the verdict.
        permission: Of a mailbox: a permission that the application's document lists and that such
            policies govern, empty if it lists others only; null if no document tells.
        subject: Whom.
        unknown: Addresses of what would decide it.
        verdict: The answer.
        would_change: What would change it.
    """

    application: NamedId
    basis: str
    decided_by: str | None
    path: tuple[AnswerReason, ...]
    permission: str | None
    subject: AskedSubject
    unknown: tuple[str, ...]
    verdict: VerdictWord
    would_change: tuple[AnswerAdvice, ...]


class RehearsedRun(Struct, frozen=True):
    """One run of a rehearsal.

    Attributes:
        again: The plan had to be applied once more.
        as_it_must: Whether it ended as it must.
        converged: The tenant ended in the state that the plan leads to.
        gaps: Indexes of the plan's gaps that were open where it stopped.
        place: After which step of the plan the tenant was; null: in no state of the plan.
        said: What the apply that did not converge said.
        step: The step that was disturbed; 0 is none.
        trouble: What went wrong.
    """

    again: bool
    as_it_must: bool
    converged: bool
    gaps: tuple[_Count, ...]
    place: _Count | None
    said: str
    step: _Count
    trouble: str


class RehearsalAnswer(Struct, frozen=True):
    """What `rehearse` tried, and how each run ended.

    Attributes:
        already: How many steps the tenant showed from the start.
        complete: Whether every step was disturbed.
        passed: Whether every run ended as it must.
        runs: The runs.
        sampled: The steps that were disturbed.
        steps: How many the plan has.
        where: On what tenant.
    """

    already: _Count
    complete: bool
    passed: bool
    runs: tuple[RehearsedRun, ...]
    sampled: tuple[_Count, ...]
    steps: _Count
    where: str
