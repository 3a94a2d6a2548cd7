"""By which words an error is known, which gate refused, and what that means.

Texts are those of Microsoft's pages and of people's reports. They change: what no row covers is
reported as unknown, never guessed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.diagnosing.received import Received
    from reconciler.model.addresses import Provider


class Gate(StrEnum):
    """What refused: an access policy, or one of the things before, beside and above it."""

    TEAMS_POLICY = "teams-policy"
    EXCHANGE_POLICY = "exchange-policy"
    EXCHANGE_ACCESS = "exchange-access"
    TENANT_SETTING = "tenant-setting"
    CONSENT = "consent"
    REQUEST = "request"
    SERVICE = "service"
    CMDLET = "cmdlet"


GATE_PRODUCTS: Final[dict[Gate, Provider]] = {
    Gate.TEAMS_POLICY: "teams",
    Gate.EXCHANGE_POLICY: "exchange",
    Gate.EXCHANGE_ACCESS: "exchange",
}
"""Gates at which access policies decide, alone or with others."""


class Sign(Struct, frozen=True):
    """One kind of error.

    Attributes:
        id: Its name for machines.
        gate: What refused.
        phrases: Each is a set of texts, any case; it is this error if all of one set occur.
        title: What it is, in a few words.
        advice: What to do, where the policies are not at fault.
        also: What else lets the application in.
        when_silent: It is this error if nothing is said but the status 403.
        names_pair: It names an application and then a user by their ids.
    """

    id: str
    gate: Gate
    phrases: tuple[tuple[str, ...], ...]
    title: str
    advice: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    when_silent: bool = False
    names_pair: bool = False

    def matches(self, received: Received) -> bool:
        """Whether an error is of this kind."""
        if self.when_silent:
            codes = {code.casefold() for code in received.codes}
            return received.silent and (received.status == _FORBIDDEN or codes == {"forbidden"})
        words = received.text.casefold()
        return any(all(phrase in words for phrase in phrases) for phrases in self.phrases)


_FORBIDDEN = 403
_POLICY_ADVICE: Final = (
    (
        "The id in the request has to be the user's object id, and the application the one in the"
        " token (`appid`)."
    ),
)

# The first row that matches counts: what says more is before what says less.
SIGNS: Final = (
    # Microsoft Graph, online meetings and virtual events
    Sign(
        "transcripts-disabled",
        Gate.TENANT_SETTING,
        (("graphaccesstotranscriptsdisabled",), ("graph api access to transcripts is disabled",)),
        "the tenant does not let applications read transcripts",
        (
            (
                "An administrator decides it for the whole tenant: Set-CsTeamsMeetingConfiguration"
                " -EnableGraphTranscriptAccess. It outranks every access policy."
            ),
        ),
    ),
    Sign(
        "attribution-disabled",
        Gate.TENANT_SETTING,
        (("speakerattributionnotallowed",),),
        "the tenant does not let applications read who said what in transcripts",
        (
            (
                "An administrator decides it for the whole tenant: Set-CsTeamsMeetingConfiguration"
                " -EnableAttributedTranscripts. It outranks every access policy."
            ),
        ),
    ),
    Sign(
        "teams-no-policy",
        Gate.TEAMS_POLICY,
        (("no application access policy found for this app",),),
        "the access policy that is effective for the user does not list the application",
        _POLICY_ADVICE,
    ),
    Sign(
        "teams-on-behalf",
        Gate.TEAMS_POLICY,
        (("is not authorized to", "on behalf of user"),),
        "the access policy that is effective for the user does not list the application",
        _POLICY_ADVICE,
        names_pair=True,
    ),
    Sign(
        "teams-artifacts",
        Gate.TEAMS_POLICY,
        (("application is not allowed to perform operations on the user",),),
        "neither an access policy nor a permission for the chat of the meeting lets the application"
        " at transcripts or recordings",
        also=(
            (
                "A resource-specific consent to the meeting's chat (such as"
                " OnlineMeetingTranscript.Read.Chat) opens that meeting without a policy."
            ),
        ),
    ),
    Sign(
        "delegated-token",
        Gate.REQUEST,
        (("organizer id in token",), ("with delegated permission only /me endpoint",)),
        "the token is that of a person, and the request asks for somebody else",
        (
            (
                "Get the token with the client credentials of the application (it has `roles` then, no"
                " `scp`), or ask for /me. Access policies are about applications without a person."
            ),
        ),
    ),
    # Microsoft Graph and Exchange Web Services, mailboxes
    Sign(
        "exchange-raop",
        Gate.EXCHANGE_POLICY,
        (("[raop]",), ("blocked by tenant configured apponly accesspolicy",)),
        "an application access policy of Exchange keeps the application out of the mailbox",
    ),
    Sign(
        "exchange-odata",
        Gate.EXCHANGE_POLICY,
        (("access to odata is disabled",),),
        "an application access policy of Exchange keeps the application out of the mailbox",
    ),
    Sign(
        "exchange-denied",
        Gate.EXCHANGE_ACCESS,
        (("erroraccessdenied",), ("access is denied. check credentials",)),
        "Exchange refuses the application this mailbox: it lacks a permission, or a policy denies it",
        (
            (
                "If no policy keeps it out, it lacks an application permission with admin consent, or an"
                " assignment of RBAC for Applications: look at `roles` in the token."
            ),
        ),
    ),
    Sign(
        "no-mailbox",
        Gate.REQUEST,
        (("mailboxnotenabledforrestapi",), ("mailboxnothostedinexchangeonline",)),
        "the mailbox is not one of Exchange Online: inactive, soft-deleted or on premises",
        ("Look the mailbox up: Get-Recipient, RecipientTypeDetails.",),
    ),
    # Tokens, consent, ids
    Sign(
        "missing-permission",
        Gate.CONSENT,
        (
            ("authorization_requestdenied",),
            ("insufficient privileges to complete the operation",),
            ("missing application permissions",),
        ),
        "the application lacks a permission, or nobody consented to it",
        (
            (
                "Compare `roles` in the token with the permissions that the page of the request names;"
                " an administrator consents in Entra, and a token from before does not have it yet."
            ),
        ),
    ),
    Sign(
        "service-principal-absent",
        Gate.REQUEST,
        (("aadserviceprincipalnotfound",),),
        "the object id is not that of the enterprise application",
        (
            (
                "Take the object id from Enterprise applications, not from App registrations, and not"
                " the client id."
            ),
        ),
    ),
    Sign(
        "token",
        Gate.CONSENT,
        (
            ("invalidauthenticationtoken",),
            ("aadsts",),
            ("invalid_client",),
            ("lifetime validation failed",),
        ),
        "the token is missing or not accepted, so no policy was consulted",
        ("Sign in again; the secret or certificate of the application may be expired or wrong.",),
    ),
    Sign(
        "user-absent",
        Gate.REQUEST,
        (
            ("request_resourcenotfound",),
            ("errorinvaliduser",),
            ("resource could not be discovered",),
        ),
        "nobody has the id or name in the request",
        ("Take the object id from the directory, and see whether the token is of this tenant.",),
    ),
    Sign(
        "throttled",
        Gate.SERVICE,
        (("toomanyrequests",), ("applicationthrottled",), ("activitylimitreached",)),
        "the service asks the application to wait; it refused nobody",
        ("Ask again after the seconds of `Retry-After`.",),
    ),
    # Exchange Online PowerShell
    Sign(
        "scope-not-principal",
        Gate.CMDLET,
        (("scope is not a security principal",),),
        "the scope of the policy cannot be one",
        (
            (
                "Scopes are mail-enabled security groups, users with a mailbox and mail users: put a"
                " shared mailbox, or the members of another group, into a mail-enabled security group."
                " `New-DistributionGroup` makes one with `-Type Security`."
            ),
        ),
    ),
    Sign(
        "store-full",
        Gate.CMDLET,
        (
            ("total size of app access policies exceeded the limit",),
            ("a tenant cannot have more than", "policies"),
        ),
        "the tenant has no room for another Exchange policy",
        (
            (
                "A description of one blank takes the least room (about 300 policies fit instead of"
                " 100): `description: ' '`. Delete policies that nobody needs; several applications can"
                " share a group, but no policy."
            ),
        ),
    ),
    Sign(
        "no-policies",
        Gate.CMDLET,
        (("managementobjectnotfoundexception", "ou=", "\\*"),),
        "the tenant has no Exchange policy at all, which this cmdlet reports as an error",
        ("Nothing is wrong: `reconciler fetch` reads it as none.",),
    ),
    Sign(
        "object-absent",
        Gate.CMDLET,
        (
            ("managementobjectnotfoundexception",),
            ("couldn't be found on",),
        ),
        "Exchange has no object of that name or Identity",
        (
            (
                "It was renamed, deleted, or is not visible yet: run `reconciler plan` again, and take the"
                " Identity from there. A group made a moment ago can take minutes."
            ),
        ),
    ),
    Sign(
        "role-delegation",
        Gate.CMDLET,
        (("delegating role assignment",),),
        "the account that runs the cmdlet may not assign that role to an application",
        (
            (
                "RBAC for Applications, not an access policy: the caller needs a delegating assignment of"
                " the role (Organization Management has it)."
            ),
        ),
    ),
    Sign(
        "organization",
        Gate.CMDLET,
        (("write permission to target dc",), ("insufficientpermissionsexception",)),
        "reads work and writes do not: the session was opened for another name of the organization",
        (
            (
                "`organization` of the Tenant document has to be the initial domain,"
                " NAME.onmicrosoft.com, not an id and no domain of your own."
            ),
        ),
    ),
    Sign(
        "cmdlet-absent",
        Gate.CMDLET,
        (("the term '", "is not recognized"), ("commandnotfoundexception",)),
        "the session does not have the cmdlet",
        (
            (
                "It is not connected, or the account lacks the role: a session has only the cmdlets that"
                " its account may run. `reconciler doctor` says which."
            ),
        ),
    ),
    Sign(
        "member-already",
        Gate.CMDLET,
        (("is already a member of the group",),),
        "the mailbox is in the group already: nothing is wrong",
        ("Services take up to an hour, and longer, to notice a new member.",),
    ),
    Sign(
        "member-absent",
        Gate.CMDLET,
        (("isn't a member of the group",), ("is not a member of the group",)),
        "the mailbox is not in the group itself: there was nothing to remove",
        ("It may be in a group that is nested in it: remove it there.",),
    ),
    # Microsoft Teams PowerShell
    Sign(
        "policy-assigned",
        Gate.CMDLET,
        (("currently assigned to one or more users",),),
        "the policy cannot be deleted while somebody holds it",
        (
            (
                "`reconciler list --policy NAME` lists the holders; a document with `ensure: absent`"
                " takes its grants away first."
            ),
        ),
    ),
    Sign(
        "grant-refused",
        Gate.CMDLET,
        (("can't be granted this policy",),),
        "the user cannot hold a Teams policy, for example without a licence",
        ("Assign a licence with Teams, or take the user out of the document.",),
    ),
    Sign(
        "policy-unknown",
        Gate.CMDLET,
        (
            ("[clienterror]", "not found"),
            ("is not a user policy",),
            ('cannot find "',),
        ),
        "Teams has no policy of that name",
        ("`reconciler list` has the names; a policy made a moment ago may not be visible yet.",),
    ),
    # What says nothing.
    Sign(
        "silent",
        Gate.REQUEST,
        (),
        "a refusal without a message: most often the request has a principal name instead of an object id",
        ("Write the user's object id into the address of the request.",),
        when_silent=True,
    ),
)


def sign_of(received: Received) -> Sign | None:
    """The kind of an error; None if no row knows it."""
    return next((sign for sign in SIGNS if sign.matches(received)), None)
