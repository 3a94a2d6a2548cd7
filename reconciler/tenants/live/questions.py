"""What a live tenant is asked: each reading as a value, with the properties that it needs, so that
what is asked can be seen in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.kinds.teams.parse import POLICY_TYPE
from reconciler.tenants.live import filters
from reconciler.tenants.live.classes import ErrorClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json

CHECK: Final = "Test-ApplicationAccessPolicy"
EFFECTIVE: Final = "Get-CsUserPolicyAssignment"
SPARED: Final = frozenset({CHECK, "Get-Group", EFFECTIVE})
"""Cmdlets without which a tenant can still be read and written: what only they tell stays unknown.
"""

PRINCIPALS: Final = ("UserMailbox", "MailUser", "MailUniversalSecurityGroup")
"""Types of recipients that can be the scope of a policy (New-ApplicationAccessPolicy page)."""
MOST_IDS: Final = 20
"""Object ids in one filter: the text stays far below every limit, and 300 scopes are 15 calls."""


class TenantQuestion(Struct, frozen=True):
    """One reading.

    Attributes:
        cmdlet: Its name.
        parameters: What it is called with.
        needed: Properties that every object must have; one that lacks one means that something else
            was read than was asked for.
        more: Properties that are taken where they are.
        single: Of those that are needed, what a single object may lack while others have it: it is
            held then.
        nothing: Classes of errors that mean: there are no objects.
        usual: How many objects the cmdlet lists where no ResultSize is given; None: all.
    """

    cmdlet: str
    parameters: Mapping[str, Json]
    needed: tuple[str, ...]
    more: tuple[str, ...] = ()
    nothing: frozenset[ErrorClass] = frozenset()
    usual: int | None = None
    single: tuple[str, ...] = ()

    @property
    def most(self) -> int | None:
        """How many objects an answer can have; None if nothing limits it."""
        asked = next(
            (value for name, value in self.parameters.items() if name.lower() == "resultsize"),
            self.usual,
        )
        if isinstance(asked, str):
            return int(asked) if asked.isascii() and asked.isdigit() else None
        return asked if isinstance(asked, int) else None

    @property
    def select(self) -> tuple[str, ...]:
        """All properties that are asked for."""
        return (*self.needed, *self.more)


TEAMS_POLICIES: Final = TenantQuestion(
    "Get-CsApplicationAccessPolicy", {}, ("Identity", "AppIds", "Description")
)
GROUP_ASSIGNMENTS: Final = TenantQuestion(
    "Get-CsGroupPolicyAssignment",
    {"PolicyType": POLICY_TYPE},
    ("GroupId", "PolicyType", "PolicyName"),
    ("Priority", "Rank", "CreatedTime"),
)
EXCHANGE_POLICIES: Final = TenantQuestion(
    "Get-ApplicationAccessPolicy",
    {},
    ("Identity", "AppId", "AccessRight", "Description"),
    ("ScopeName", "ScopeIdentity", "ScopeIdentityRaw", "ShardType", "IsValid", "ObjectState"),
    frozenset({ErrorClass.EMPTY_STORE}),
)
_USER: Final = ("Identity", "UserPrincipalName")
_ABOUT_USER: Final = ("DisplayName", "SoftDeletionTimestamp")
_RECIPIENT: Final = (
    "ExternalDirectoryObjectId",
    "PrimarySmtpAddress",
    "RecipientTypeDetails",
    "IsValidSecurityPrincipal",
)
_TYPE: Final = _RECIPIENT.index("RecipientTypeDetails")
_ABOUT_RECIPIENT: Final = ("EmailAddresses", "DisplayName", "Guid")
_ABSENT: Final = frozenset({ErrorClass.NOT_FOUND})
ALL: Final = "Unlimited"
USUAL: Final = 1000
"""Without ResultSize Exchange lists 1,000 objects (Get-Recipient, Get-DistributionGroupMember and
Get-Group pages).
"""


def grants(filter_: str) -> TenantQuestion:
    """Users with a direct grant.

    `-Properties` keeps 100,000 answers small; the module adds id and names by itself (from 6.9.0).
    That it returns the policy, the question about all of them shows.
    """
    is_whole = filter_ == filters.HOLDERS
    needed, more = ((*_USER, POLICY_TYPE), ()) if is_whole else (_USER, (POLICY_TYPE,))
    return TenantQuestion(
        "Get-CsOnlineUser",
        {"Filter": filter_, "Properties": [POLICY_TYPE]},
        needed,
        (*more, "DisplayName"),
        single=(POLICY_TYPE,),
    )


def effective(user_id: str) -> TenantQuestion:
    """The policy that is effective for one user, and where it comes from; no object: the default of
    everyone (Get-CsUserPolicyAssignment page).
    """
    return TenantQuestion(
        EFFECTIVE,
        {"Identity": user_id, "PolicyType": POLICY_TYPE},
        ("PolicyType", "PolicyName", "PolicySource"),
    )


ALL_USERS: Final = TenantQuestion(
    "Get-CsOnlineUser",
    {"Filter": filters.NOT_DELETED, "Properties": ["SoftDeletionTimestamp"]},
    _USER,
    _ABOUT_USER,
)


def user(name: str) -> TenantQuestion:
    """One user, by object id or user principal name."""
    return TenantQuestion("Get-CsOnlineUser", {"Identity": name}, _USER, _ABOUT_USER, _ABSENT)


def recipient(address: str) -> TenantQuestion:
    """One recipient by any address.

    The page warns that an identity nobody has may list everybody: whoever asks compares what came.
    """
    return TenantQuestion(
        "Get-Recipient", {"Identity": address}, _RECIPIENT, _ABOUT_RECIPIENT, _ABSENT, USUAL
    )


def recipients(ids: tuple[str, ...]) -> TenantQuestion:
    """Recipients by object id, at most `MOST_IDS`."""
    parameters: dict[str, Json] = {"Filter": filters.any_of_ids(ids), "ResultSize": ALL}
    return TenantQuestion("Get-Recipient", parameters, _RECIPIENT, _ABOUT_RECIPIENT)


ALL_PRINCIPALS: Final = TenantQuestion(
    "Get-Recipient",
    {"RecipientTypeDetails": list(PRINCIPALS), "ResultSize": ALL},
    _RECIPIENT,
    _ABOUT_RECIPIENT,
)


def members(group: str) -> TenantQuestion:
    """The direct members of a distribution or security group, by the group's own GUID in Exchange."""
    needed, more = (
        (_RECIPIENT[_TYPE],),
        (*_RECIPIENT[:_TYPE], *_RECIPIENT[_TYPE + 1 :], *_ABOUT_RECIPIENT),
    )
    return TenantQuestion(
        "Get-DistributionGroupMember", {"Identity": group, "ResultSize": ALL}, needed, more
    )


def security_id(group: str) -> TenantQuestion:
    """The SID of a group, which Get-Recipient does not tell."""
    return TenantQuestion("Get-Group", {"Identity": group}, (), ("Sid",), _ABSENT, USUAL)


def access_check(mailbox: str, application: str) -> TenantQuestion:
    """What the policies of Exchange say about one application and one mailbox
    (Test-ApplicationAccessPolicy page).
    """
    return TenantQuestion(
        CHECK, {"Identity": mailbox, "AppId": application}, ("AccessCheckResult",), ("MailboxId",)
    )
