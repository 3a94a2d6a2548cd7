"""What an error of a service means: a table of values (HTTP status, types of exceptions) and texts.

Texts are unstable across module versions, and names in them are anybody's: a class decides how
often something is tried and what a person reads, never whether something exists that a complete
list can tell. Sources: the pages of the cmdlets (MicrosoftDocs/office-docs-powershell), its issues
8323, 8930, 9103, 9199, 9229, 9346, 9406 and 10187, Microsoft365DSC issues 687, 2998 and 5700,
and the retry code of ExchangeOnlineManagement 3.x.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.kinds.exchange.parse import is_empty_store
from reconciler.tenants.protocol import Done, Failed, Fault, Lost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.powershell.session import Answer, ServiceError
    from reconciler.tenants.protocol import Outcome


class ErrorClass(StrEnum):
    """Classes of errors, as far as anything acts on them."""

    EMPTY_STORE = "empty-store"
    THROTTLED = "throttled"
    EXPIRED = "expired"
    ORGANIZATION = "organization"
    SCOPE_INVALID = "scope-invalid"
    STORE_FULL = "store-full"
    ASSIGNED = "assigned"
    INVALID = "invalid"
    DENIED = "denied"
    EXISTS = "exists"
    NOT_FOUND = "not-found"
    TRANSIENT = "transient"
    NO_ANSWER = "no-answer"
    UNKNOWN = "unknown"


class Row(Struct, frozen=True):
    """One row of the table.

    By value it matches an error with one of the HTTP `statuses`, or with one of the `types` among
    the names of its exceptions; by text one whose messages have one of the `texts`. Types and texts
    count for `silence` only where no HTTP answer is known. Texts are English and may be translated:
    where a value tells the class, only a text of a class in `refined_by` tells more.
    """

    meaning: ErrorClass
    texts: str = ""
    types: str = ""
    statuses: frozenset[str] = frozenset()
    silence: bool = False
    refined_by: frozenset[ErrorClass] = frozenset()

    def has_value(self, error: ServiceError) -> bool:
        """Whether an error is of this row by its status or its types."""
        if error.status in self.statuses:
            return True
        return not self._is_answered(error) and _found(self.types, _types(error))

    def has_text(self, error: ServiceError) -> bool:
        """Whether an error is of this row by its messages."""
        return not self._is_answered(error) and _found(self.texts, _messages(error))

    def _is_answered(self, error: ServiceError) -> bool:
        return self.silence and bool(error.status)


TABLE: Final = (
    # What tells more than its status does.
    Row(ErrorClass.ORGANIZATION, r"write permission to target DC"),
    Row(ErrorClass.SCOPE_INVALID, r"is not a security principal"),
    Row(
        ErrorClass.STORE_FULL,
        r"total size of App Access Policies exceeded the limit|cannot have more than \d+ policies",
    ),
    Row(ErrorClass.ASSIGNED, r"currently assigned to one or more users"),
    Row(
        ErrorClass.INVALID,
        r"can't be granted this policy|was not provisioned successfully|is not a user policy"
        r"|missing mandatory parameters|parameter cannot be (?:used|found)",
        r"\bParameterBinding",
    ),
    Row(
        ErrorClass.EXPIRED,
        r"Authentication_ExpiredToken|AADSTS(?:700024|700082|70043)\b|Lifetime validation failed",
        statuses=frozenset({"401"}),
    ),
    Row(
        ErrorClass.THROTTLED,
        r"TooManyRequests|Too Many Requests|Service is too busy|\bthrottled\b",
        statuses=frozenset({"429"}),
    ),
    Row(
        ErrorClass.DENIED,
        r"Access Denied|Access is denied|\bForbidden\b|not authorized|\bUnauthorized\b|delegating"
        r" role assignment|is not recognized as|\bAADSTS\d+",
        r"\bCommandNotFoundException|\bInsufficientPermissionsException|\bUnauthorizedAccessException",
        frozenset({"403"}),
        refined_by=frozenset({ErrorClass.ORGANIZATION, ErrorClass.EXPIRED}),
    ),
    Row(ErrorClass.EXISTS, r"already exists|already has a policy"),
    Row(
        ErrorClass.TRANSIENT,
        r"delay in propagation|Invalid input parameters forest|temporarily unavailable|Server"
        r" Unavailable",
        r"\b(?:DCOverloaded|SuitabilityDirectory|ServerInMM|StorageTransient)Exception"
        r"|\bADServerSettingsChangedException",
        frozenset({"503"}),
        refined_by=frozenset({ErrorClass.THROTTLED}),
    ),
    Row(
        ErrorClass.NOT_FOUND,
        r"couldn't be found|could not be found|cannot be found|(?:was|were|wasn't|is|isn't) (?:not"
        r" )?found\b|\[NotFound\]|object not found"
        r"|\bnot found\b|\bCannot find\b|\bUser does not exist\b",
        r"\bManagementObjectNotFoundException|\bUserNotFoundException",
        frozenset({"404"}),
    ),
    Row(
        ErrorClass.NO_ANSWER,
        r"has timed out|timed-out|connection (?:was|has been|could not be) \w+|unable to connect|No"
        r" such host|Maximum retry count reached"
        r"|task was canceled|request was aborted",
        r"\bSystem\.Net\.|\bSocketException|\bTimeoutException|\bTaskCanceledException"
        r"|\bOperationCanceledException|\bSystem\.IO\.IOException",
        frozenset({"408", "500", "502", "504"}),
        silence=True,
    ),
    # The service answered and refused; what, only its words tell.
    Row(
        ErrorClass.INVALID,
        statuses=frozenset({"400", "422"}),
        refined_by=frozenset(ErrorClass) - {ErrorClass.NO_ANSWER},
    ),
)
"""The first match by value counts, then the first by text; no row: unknown.

What the services answered in public records is beside each row in the tests.
"""

PASSING: Final = frozenset(
    {ErrorClass.THROTTLED, ErrorClass.TRANSIENT, ErrorClass.NO_ANSWER, ErrorClass.EXPIRED}
)
"""Classes after which a reading is tried again."""
_FAULTS: Final[Mapping[ErrorClass, Fault]] = {
    ErrorClass.EMPTY_STORE: Fault.NOT_FOUND,
    ErrorClass.THROTTLED: Fault.THROTTLED,
    # The session is left before: the next attempt signs in again, which a certificate can and a
    # token that ended cannot.
    ErrorClass.EXPIRED: Fault.TRANSIENT,
    ErrorClass.ORGANIZATION: Fault.DENIED,
    ErrorClass.SCOPE_INVALID: Fault.SCOPE_INVALID,
    ErrorClass.STORE_FULL: Fault.STORE_FULL,
    ErrorClass.ASSIGNED: Fault.ASSIGNED,
    ErrorClass.INVALID: Fault.INVALID,
    ErrorClass.DENIED: Fault.DENIED,
    ErrorClass.EXISTS: Fault.EXISTS,
    ErrorClass.NOT_FOUND: Fault.NOT_FOUND,
    ErrorClass.TRANSIENT: Fault.TRANSIENT,
    ErrorClass.UNKNOWN: Fault.UNKNOWN,
}
ADVICE: Final[Mapping[ErrorClass, str]] = {
    ErrorClass.THROTTLED: "the service is too busy: try again later",
    ErrorClass.EXPIRED: "the credential has expired: get a new one and run the command again",
    ErrorClass.ORGANIZATION: (
        "`organization` of the Tenant document must be the initial domain, the one that ends in"
        " .onmicrosoft.com"
    ),
    ErrorClass.DENIED: (
        "the account is not allowed to do this: `reconciler doctor` shows which role is missing"
    ),
    ErrorClass.TRANSIENT: "the service reports an internal problem: try again later",
    ErrorClass.NO_ANSWER: "the service did not answer: check the network, then try again",
}
"""What to do about a class, where there is something to do."""


def meaning(error: ServiceError, cmdlet: str) -> ErrorClass:
    """The class of one error of a cmdlet.

    That Exchange has no policy at all is reported as an error, and only by its own reading can it be
    told from an object that is not there.
    """
    if cmdlet == "Get-ApplicationAccessPolicy" and is_empty_store(_types(error), _messages(error)):
        return ErrorClass.EMPTY_STORE
    valued = next((row for row in TABLE if row.has_value(error)), None)
    worded = next((row.meaning for row in TABLE if row.has_text(error)), None)
    if valued is None:
        return worded or ErrorClass.UNKNOWN
    return worded if worded in valued.refined_by else valued.meaning


def leading(errors: Sequence[ServiceError], cmdlet: str) -> tuple[ErrorClass, ServiceError]:
    """The error that decides what a call means, with its class: one without an answer, else the
    first that is recognized, else the first.
    """
    classed = [(meaning(error, cmdlet), error) for error in errors]
    silent = (pair for pair in classed if pair[0] is ErrorClass.NO_ANSWER)
    understood = (pair for pair in classed if pair[0] is not ErrorClass.UNKNOWN)
    return next(silent, None) or next(understood, classed[0])


def write_outcome(answer: Answer, cmdlet: str) -> Outcome:
    """What a write came to.

    Lost, not failed, where the service may have carried it out: without an answer, after an error
    that the module kept to itself, and where creating a Teams policy ends in not finding it,
    because that cmdlet reads what it wrote (MicrosoftTeams 6.4.0 and 7.7.0).
    """
    if not answer.errors:
        return (
            Done()
            if not answer.swallowed
            else Lost(f"the module continued after an error: {answer.swallowed[0].message}")
        )
    error_class, error = leading(answer.errors, cmdlet)
    if error_class is ErrorClass.NO_ANSWER or (
        error_class is ErrorClass.NOT_FOUND and cmdlet == "New-CsApplicationAccessPolicy"
    ):
        return Lost(error.message)
    return Failed(_FAULTS[error_class], advised(error_class, error.message))


def advised(error_class: ErrorClass, message: str) -> str:
    """A service's message, with what to do about it."""
    advice = ADVICE.get(error_class)
    return message if advice is None else f"{message} ({advice})"


def _found(pattern: str, text: str) -> bool:
    return bool(pattern) and re.search(pattern, text, re.IGNORECASE) is not None


def _messages(error: ServiceError) -> str:
    return "\n".join((*(raised.message for raised in error.exceptions), error.details, error.id))


def _types(error: ServiceError) -> str:
    return "\n".join(
        (*(raised.type for raised in error.exceptions), error.reason, *_named_in(error))
    )


def _named_in(error: ServiceError) -> tuple[str, ...]:
    """The exception types that Exchange writes into its messages: `CODE|TYPE|TEXT`, each of the
    first two maybe empty.
    """
    return tuple(
        part
        for raised in error.exceptions
        for part in raised.message.split("|", 2)[:2]
        if raised.message.count("|") > 1
    )
