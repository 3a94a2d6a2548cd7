"""Everything the reconciler raises, and every exit code of the process.

    0    success (`SUCCESS`)
    2    `plan --detailed-exitcode`: changes are pending (`CHANGES_PENDING`)

    ReconcilerError               1   something could not be done
    |- UsageFault                64   the command line contradicts itself or lacks something
    |- DocumentFaults             3   the documents are wrong; carries every finding of the run
    |- CaptureFault               1   a capture is malformed, incomplete or of another tenant
    |- TenantFault                1   a tenant could not be read
    |- RenderFault                1   a value or invocation may not become PowerShell text
    |  |- UnfitText                   a character that is never rendered
    |  |- RefusedText                 a text that the strict reader does not accept
    |  `- BindingFault                an invocation that the catalogue does not know or bind
    |- DoorFault                  1   PowerShell, a module or a credential is missing or wrong
    |  `- ConnectFault                `spec.connect` cannot be used as it is
    |- OperationFailed            1   an operation of the PowerShell process failed; nothing ran
    |- SessionLost                1   the process is gone; a write in flight has an unknown outcome
    |- Declined                   1   the person at the terminal did not type `yes`
    |- AccessTestFailed           3   the plan's outcome does not pass an access test
    |- Refused                    4   a guard refuses the plan
    |- StalePlan                  5   the tenant moved since the plan was made
    |- TamperedPlan               5   the plan file was modified, or its version is not supported
    |- AppliedInPart              6   a step failed or its outcome is unknown
    |- NotVerified                7   everything was applied, the tenant does not show it
    |- LockHeld                   8   another apply of the tenant is running
    `- Interrupted              130   Ctrl-C; the step in flight was finished

DoorFault, ConnectFault, OperationFailed and SessionLost are defined in `powershell.faults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.applied import Applied
    from reconciler.model.findings import Finding

SUCCESS: Final = 0
CHANGES_PENDING: Final = 2
"""What `plan --detailed-exitcode` ends with if there are changes, as Terraform does."""


class ReconcilerError(Exception):
    """Root of all errors meant for a person: the message says what is wrong and what to do next."""

    exit_code: ClassVar[int] = 1


class UsageFault(ReconcilerError):
    """The command line contradicts itself or lacks something."""

    exit_code = 64


class DocumentFaults(ReconcilerError):
    """The documents hold faults; `findings` has every one of the run, sorted by position."""

    exit_code = 3

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        super().__init__(f"{len(self.findings)} fault(s) in the documents")


class CaptureFault(ReconcilerError):
    """A capture is malformed, provably or possibly incomplete, or of another tenant."""


class TenantFault(ReconcilerError):
    """A tenant could not be read completely. Never to be taken for an empty tenant (law 1)."""


class RenderFault(ReconcilerError):
    """A value or an invocation may not become PowerShell text."""


class UnfitText(RenderFault):
    """A string holds a character that is never rendered."""


class RefusedText(RenderFault):
    """The strict reader found something other than one allow-listed invocation with constant
    arguments.
    """


class BindingFault(RenderFault):
    """The cmdlet catalogue does not know the cmdlet or parameter, or not exactly one parameter set
    binds.
    """


class Declined(ReconcilerError):
    """The plan was shown and not approved."""


class AccessTestFailed(ReconcilerError):
    """A plan would leave the tenant in a state that an access test forbids, or on which it cannot
    be decided.
    """

    exit_code = 3


class Refused(ReconcilerError):
    """A guard refuses the plan; the message names the exact consent that would allow it."""

    exit_code = 4


class StalePlan(ReconcilerError):
    """The tenant is not in any state that the plan passes through; the message names what moved."""

    exit_code = 5


class TamperedPlan(ReconcilerError):
    """The plan file is not byte for byte what was approved, or has a format version that is not
    supported.
    """

    exit_code = 5


class AppliedInPart(ReconcilerError):
    """Some steps are done, one failed or is unknown, the rest were not tried.

    `applied` says which, when an apply raises it.
    """

    exit_code = 6

    def __init__(self, message: str, applied: Applied | None = None) -> None:
        super().__init__(message)
        self.applied = applied


class NotVerified(ReconcilerError):
    """Every step was done, but the tenant read afterwards does not show the planned state."""

    exit_code = 7


class LockHeld(ReconcilerError):
    """Another apply of the same tenant is running, or what it sent may still be."""

    exit_code = 8


class Interrupted(ReconcilerError):
    """A person pressed Ctrl-C; the step in flight was finished and journalled.

    `applied` says what was done, when an apply raises it.
    """

    exit_code = 130

    def __init__(self, message: str, applied: Applied | None = None) -> None:
        super().__init__(message)
        self.applied = applied
