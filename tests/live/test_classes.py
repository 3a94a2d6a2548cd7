"""The table of errors, held to what services are known to have answered."""

from __future__ import annotations

import pytest

from reconciler.powershell.answers import Answer, Raised, ServiceError
from reconciler.tenants.live.classes import TABLE, ErrorClass, leading, meaning, write_outcome
from reconciler.tenants.protocol import Done, Failed, Fault, Lost

NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
EMPTY = (
    "Ex6F9304|{}|The operation couldn't be performed because object"
    " 'OU=contoso.onmicrosoft.com,OU=Microsoft Exchange Hosted"
    " Organizations,DC=EURPR05A001,DC=prod,DC=outlook,DC=com\\*' couldn't be found on"
    " 'AM0PR05A01DC001.EURPR05A001.prod.outlook.com'."
)
EMPTY_GERMAN = (
    "||Der Vorgang konnte nicht ausgeführt werden, weil das Objekt"
    " 'OU=contoso.onmicrosoft.com,OU=Microsoft Exchange Hosted"
    " Organizations,DC=EURPR05A001,DC=prod,DC=outlook,DC=com\\*' auf"
    " 'AM0PR05A01DC001.EURPR05A001.prod.outlook.com' nicht gefunden wurde."
)


def an_error(
    message: str,
    kind: str = "System.Exception",
    status: str | None = None,
    reason: str = "",
    details: str = "",
) -> ServiceError:
    return ServiceError("id", "NotSpecified", reason, "", details, (Raised(kind, message),), status)


CASES = {
    # Teams
    "unknown policy (office-docs-powershell 9103)": (
        an_error('[ClientError] : "Idont exist" not found'),
        ErrorClass.NOT_FOUND,
    ),
    "unknown policy, legacy": (
        an_error(
            'Policy "X" is not a user policy. You can assign only a user policy to a specific user.'
        ),
        ErrorClass.INVALID,
    ),
    "unknown name (9346)": (
        an_error('Cannot find "TeamsComplianceRecordingPolicy"'),
        ErrorClass.NOT_FOUND,
    ),
    "unknown user (OfficeDocs-SkypeForBusiness 8253)": (
        an_error("One or more errors occurred. ([NotFound] : userId was not found)"),
        ErrorClass.NOT_FOUND,
    ),
    "unknown user (8975)": (
        an_error("Management object not found for identity 'x'"),
        ErrorClass.NOT_FOUND,
    ),
    "assigned (Remove-CsTeamsTemplatePermissionPolicy page)": (
        an_error(
            '[ClientError] : The policy "Foobar" is currently assigned to one or more users or'
            " groups. Ensure policy is not assigned before removing. Please refer to documentation."
            " CorrelationId: 1",
            "Microsoft.Teams.Policy.Administration.Cmdlets.Core.PolicyRpException",
        ),
        ErrorClass.ASSIGNED,
    ),
    "assigned, older": (
        an_error(
            "The policy is currently assigned to one or more users. Assign a different policy to"
            " the users before removing"
        ),
        ErrorClass.ASSIGNED,
    ),
    "user that is not there (8930)": (an_error("User does not exist"), ErrorClass.NOT_FOUND),
    "user that Teams has not (9199)": (
        an_error("The user was not provisioned successfully"),
        ErrorClass.INVALID,
    ),
    "unlicensed user": (an_error("User can't be granted this policy"), ErrorClass.INVALID),
    "missing role (9406)": (an_error("Access Denied."), ErrorClass.DENIED),
    "module's own check": (
        an_error("AccountType parameter cannot be used with Identity parameter."),
        ErrorClass.INVALID,
    ),
    "module's own check of Grant": (
        an_error(
            "Cannot process command because of one or more missing mandatory parameters:"
            " PolicyName."
        ),
        ErrorClass.INVALID,
    ),
    "too many requests (5063)": (an_error("TooManyRequests"), ErrorClass.THROTTLED),
    "busy (Microsoft365DSC 5700)": (
        an_error("Service is too busy. Please try again later."),
        ErrorClass.THROTTLED,
    ),
    "propagation (8323)": (
        an_error(
            "Object is not in valid state for this operation or there is a delay in propagation"
        ),
        ErrorClass.TRANSIENT,
    ),
    "incident (9229)": (an_error("Invalid input parameters forest"), ErrorClass.TRANSIENT),
    "token ended (10187)": (an_error("Authentication_ExpiredToken"), ErrorClass.EXPIRED),
    "assertion ended (Azure/login 180)": (
        an_error("AADSTS700024: Client assertion is not within its valid time range."),
        ErrorClass.EXPIRED,
    ),
    "other sign-in errors": (
        an_error("AADSTS7000215: Invalid client secret provided."),
        ErrorClass.DENIED,
    ),
    # Exchange
    "nothing there, English (Microsoft365DSC 2998)": (
        an_error(EMPTY.format(NOT_FOUND)),
        ErrorClass.EMPTY_STORE,
    ),
    "nothing there, German, type beside (687)": (
        an_error(EMPTY_GERMAN, reason="ManagementObjectNotFoundException"),
        ErrorClass.EMPTY_STORE,
    ),
    "object not there": (
        an_error(
            f"Ex6F9304|{NOT_FOUND}|The operation couldn't be performed because object 'x' couldn't"
            " be found on 'DC'."
        ),
        ErrorClass.NOT_FOUND,
    ),
    "object not there, German": (
        an_error("||Objekt 'x' nicht gefunden", reason="ManagementObjectNotFoundException"),
        ErrorClass.NOT_FOUND,
    ),
    "scope is no principal": (
        an_error("||The identity of the policy scope is not a security principal."),
        ErrorClass.SCOPE_INVALID,
    ),
    "store full (New-ApplicationAccessPolicy page)": (
        an_error("The total size of App Access Policies exceeded the limit."),
        ErrorClass.STORE_FULL,
    ),
    "store full, before 2021": (
        an_error("A tenant cannot have more than 100 policies."),
        ErrorClass.STORE_FULL,
    ),
    "double": (an_error("||The object 'x' already exists."), ErrorClass.EXISTS),
    "vanity domain": (
        an_error(
            "|Microsoft.Exchange.Data.Directory.InsufficientPermissionsException|Source server:a.b"
            " doesn't have write permission to target DC:c.d"
        ),
        ErrorClass.ORGANIZATION,
    ),
    "cmdlet not imported": (
        an_error(
            "The term 'New-ApplicationAccessPolicy' is not recognized as a name of a cmdlet",
            "System.Management.Automation.CommandNotFoundException",
        ),
        ErrorClass.DENIED,
    ),
    "no delegation": (
        an_error("caller must be assigned a delegating role assignment"),
        ErrorClass.DENIED,
    ),
    "overloaded controller": (
        an_error("|Microsoft.Exchange.Data.Directory.DCOverloadedException|too busy"),
        ErrorClass.TRANSIENT,
    ),
    "the module gave up": (an_error("Maximum retry count reached."), ErrorClass.NO_ANSWER),
    # HTTP and network
    "429": (an_error("no", "System.Net.Http.HttpRequestException", "429"), ErrorClass.THROTTLED),
    "503": (an_error("no", "System.Net.Http.HttpRequestException", "503"), ErrorClass.TRANSIENT),
    "504": (an_error("no", "System.Net.Http.HttpRequestException", "504"), ErrorClass.NO_ANSWER),
    "500": (an_error("no", "System.Net.Http.HttpRequestException", "500"), ErrorClass.NO_ANSWER),
    "403": (an_error("", "System.Net.Http.HttpRequestException", "403"), ErrorClass.DENIED),
    "401": (an_error("", "System.Net.Http.HttpRequestException", "401"), ErrorClass.EXPIRED),
    "404": (an_error("", "System.Net.Http.HttpRequestException", "404"), ErrorClass.NOT_FOUND),
    "400 is an answer": (
        an_error("no", "System.Net.Http.HttpRequestException", "400"),
        ErrorClass.INVALID,
    ),
    "400 with a text": (
        an_error(
            "The specified user x cannot be found or does not belong to the tenant.",
            "RestException",
            "400",
        ),
        ErrorClass.NOT_FOUND,
    ),
    "409 is an answer that nobody knows": (
        an_error("no", "System.Net.Http.HttpRequestException", "409"),
        ErrorClass.UNKNOWN,
    ),
    "no connection": (an_error("no", "System.Net.Http.HttpRequestException"), ErrorClass.NO_ANSWER),
    "socket": (
        an_error("Connection reset", "System.Net.Sockets.SocketException"),
        ErrorClass.NO_ANSWER,
    ),
    "timeout": (an_error("no", "System.TimeoutException"), ErrorClass.NO_ANSWER),
    "timeout as text": (an_error("The operation has timed out."), ErrorClass.NO_ANSWER),
    "canceled": (
        an_error("A task was canceled.", "System.Threading.Tasks.TaskCanceledException"),
        ErrorClass.NO_ANSWER,
    ),
    "in the details": (
        an_error("no", details='{"error":{"code":"TooManyRequests"}}'),
        ErrorClass.THROTTLED,
    ),
    # PowerShell
    "does not bind": (
        an_error("x", "System.Management.Automation.ParameterBindingException"),
        ErrorClass.INVALID,
    ),
    "anything else": (an_error("Something went wrong"), ErrorClass.UNKNOWN),
}


@pytest.mark.parametrize(("error", "wanted"), CASES.values(), ids=CASES.keys())
def test_what_services_answered_has_its_class(error: ServiceError, wanted: ErrorClass) -> None:
    assert meaning(error, "Get-ApplicationAccessPolicy") is wanted


ANY_TEXT = [
    "already exists",
    "Access Denied.",
    "couldn't be found",
    "TooManyRequests",
    "The operation has timed out.",
    "temporarily unavailable",
    "is currently assigned to one or more users",
    "The total size of App Access Policies exceeded the limit.",
    "Zugriff verweigert",
]
MISLEADING = {
    "429": (ErrorClass.THROTTLED, {}),
    "500": (ErrorClass.NO_ANSWER, {}),
    "504": (ErrorClass.NO_ANSWER, {}),
    "401": (ErrorClass.EXPIRED, {}),
    "404": (ErrorClass.NOT_FOUND, {}),
    "403": (ErrorClass.DENIED, {}),
    "503": (ErrorClass.TRANSIENT, {ErrorClass.THROTTLED}),
}


@pytest.mark.parametrize("text", ANY_TEXT)
@pytest.mark.parametrize("status", MISLEADING)
def test_what_an_answer_is_worth_does_not_depend_on_its_words(status: str, text: str) -> None:
    """A write that ended in 500 may have been carried out, whatever the page says."""
    told, refined = MISLEADING[status]
    for kind in ("System.Exception", "System.Net.Http.HttpRequestException"):
        assert meaning(an_error(text, kind, status), "Grant-CsX") in {told, *refined}


@pytest.mark.parametrize("text", ANY_TEXT)
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (NOT_FOUND, ErrorClass.NOT_FOUND),
        ("System.Management.Automation.CommandNotFoundException", ErrorClass.DENIED),
        ("System.Management.Automation.ParameterBindingException", ErrorClass.INVALID),
        ("System.TimeoutException", ErrorClass.NO_ANSWER),
        ("Microsoft.Exchange.Data.Directory.DCOverloadedException", ErrorClass.TRANSIENT),
    ],
)
def test_a_type_counts_before_words(kind: str, told: ErrorClass, text: str) -> None:
    expected = {told, ErrorClass.THROTTLED} if told is ErrorClass.TRANSIENT else {told}
    assert meaning(an_error(text, kind), "Remove-X") in expected
    if kind.startswith("Microsoft.Exchange"):
        assert meaning(an_error(f"Ex1|{kind}|{text}"), "Remove-X") in expected


def test_every_row_is_decided_by_some_case() -> None:
    assert {row.meaning for row in TABLE} | {ErrorClass.EMPTY_STORE, ErrorClass.UNKNOWN} == {
        wanted for _, wanted in CASES.values()
    }


@pytest.mark.parametrize("cmdlet", ["Get-Recipient", "Remove-ApplicationAccessPolicy"])
def test_only_the_reading_of_policies_tells_that_there_is_none(cmdlet: str) -> None:
    assert meaning(an_error(EMPTY.format(NOT_FOUND)), cmdlet) is ErrorClass.NOT_FOUND


def test_an_empty_tenant_is_known_by_type_and_object_not_by_words() -> None:
    assert (
        meaning(an_error(EMPTY.format("Other.Exception")), "Get-ApplicationAccessPolicy")
        is not ErrorClass.EMPTY_STORE
    )
    other = EMPTY.format(NOT_FOUND).replace("\\*'", "'")
    assert meaning(an_error(other), "Get-ApplicationAccessPolicy") is ErrorClass.NOT_FOUND


def answered(*errors: ServiceError, swallowed: tuple[ServiceError, ...] = ()) -> Answer:
    return Answer([], (), errors, swallowed)


OUTCOMES = {
    ErrorClass.EMPTY_STORE: Fault.NOT_FOUND,
    ErrorClass.THROTTLED: Fault.THROTTLED,
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


@pytest.mark.parametrize(("error", "wanted"), CASES.values(), ids=CASES.keys())
def test_a_write_that_was_refused_failed_and_one_without_an_answer_is_lost(
    error: ServiceError, wanted: ErrorClass
) -> None:
    found = write_outcome(answered(error), "Get-ApplicationAccessPolicy")
    if wanted is ErrorClass.NO_ANSWER:
        assert isinstance(found, Lost)
    else:
        assert isinstance(found, Failed)
        assert found.fault is OUTCOMES[wanted]
        assert found.message.startswith(error.message)


def test_a_write_without_errors_is_done() -> None:
    assert write_outcome(answered(), "Remove-CsApplicationAccessPolicy") == Done()


def test_a_write_whose_module_kept_an_error_to_itself_may_have_happened_or_not() -> None:
    assert isinstance(
        write_outcome(answered(swallowed=(an_error("x"),)), "Remove-CsApplicationAccessPolicy"),
        Lost,
    )


def test_creating_reads_back_so_not_finding_it_does_not_mean_that_it_failed() -> None:
    error = an_error('[ClientError] : "P" not found')
    assert isinstance(write_outcome(answered(error), "New-CsApplicationAccessPolicy"), Lost)
    assert isinstance(write_outcome(answered(error), "Set-CsApplicationAccessPolicy"), Failed)


def test_of_several_errors_the_one_without_an_answer_decides_then_the_first_that_is_understood() -> (
    None
):
    strange, denied, silent = (
        an_error("?"),
        an_error("Access Denied."),
        an_error("The operation has timed out."),
    )
    assert leading((strange, denied, silent), "x") == (ErrorClass.NO_ANSWER, silent)
    assert leading((strange, denied), "x") == (ErrorClass.DENIED, denied)
    assert leading((strange,), "x") == (ErrorClass.UNKNOWN, strange)


def test_an_error_without_exceptions_is_unknown() -> None:
    bare = ServiceError("id", "", "", "", "", ())
    assert meaning(bare, "x") is ErrorClass.UNKNOWN
    assert write_outcome(answered(bare), "x") == Failed(Fault.UNKNOWN, "id")
