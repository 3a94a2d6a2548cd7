"""What a run has to say to a machine, collected on its way; `enveloping` makes one envelope of it
at the end, whatever the end is.

Every run has a collection, so nothing is loaded here that `--version` does not need.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from reconciler.model.applied import Applied
    from reconciler.model.findings import Finding
    from reconciler.model.plans import Plan, PlanTenant
    from reconciler.planning.planfile import PlanDigests
    from reconciler.reports.access_tests import Tested
    from reconciler.reports.outline import Outline
    from reconciler.reports.redaction import Speech


class Collected:
    """What one run has collected so far.

    Attributes:
        form: The format that was asked for; None before that is known.
        json_into: Where the envelope is written besides.
        out: Where it goes instead of standard output.
        command: The command; empty before one is found.
        began: Whether the command began to run.
        error: Why the run ends, in words; empty if nothing is wrong.
        findings: Faults of the documents; None if nobody looked.
        tested: Results of access tests, with their places.
        plan: The plan that the run is about.
        digests: Its digests, once it is sealed.
        shown: Whether the plan itself belongs into the envelope.
        redaction: What people are called instead; None where they keep their names.
        applied: What an apply did.
        outline: The report of the run, for who renders it again.
        tenant: The tenant, if there is no plan that says so.
        simulated: Whether it is a simulated one; None if that is not known.
        parts: Members of the envelope that only one command has.
    """

    def __init__(self) -> None:
        self.form: str | None = None
        self.json_into: Path | None = None
        self.out: Path | None = None
        self.command = ""
        self.began = False
        self.error = ""
        self.findings: Sequence[Finding] | None = None
        self.tested: Tested | None = None
        self.plan: Plan | None = None
        self.digests: PlanDigests | None = None
        self.shown = False
        self.redaction: Speech | None = None
        self.applied: Applied | None = None
        self.outline: Outline | None = None
        self.tenant: PlanTenant | None = None
        self.simulated: bool | None = None
        self.parts: dict[str, Any] = {}

    @property
    def quiet(self) -> bool:
        """Whether standard output is for the envelope alone."""
        return self.form == "json"

    @property
    def wanted(self) -> bool:
        """Whether somebody asked for the envelope, and there is something to say."""
        asked = self.quiet or self.json_into is not None
        return asked and (self.began or bool(self.error))


_RUN: ContextVar[Collected | None] = ContextVar("_RUN", default=None)


@contextmanager
def run_of_its_own() -> Iterator[Collected]:
    """A collection for the run in the block, and nothing left of it afterwards."""
    token = _RUN.set(Collected())
    try:
        yield current()
    finally:
        _RUN.reset(token)


def current() -> Collected:
    """The collection of this run; outside of one, what is collected is not kept."""
    return _RUN.get() or Collected()


def add_part(name: str, value: Sequence[Any] | Mapping[str, Any] | Any) -> None:
    """Collect a member that only one command has."""
    current().parts[name] = value
