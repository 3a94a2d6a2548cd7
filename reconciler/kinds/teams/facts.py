"""Facts of Microsoft Teams and its module."""

from __future__ import annotations

from typing import Final

from reconciler.model.documents import Kind
from reconciler.model.product_facts import ProductFacts, SignInFacts

MOST_GROUPS: Final = 64
"""Groups that can hold an application access policy, over all policies (MicrosoftDocs
New-CsGroupPolicyAssignment).
"""
GROUP_TYPES: Final = frozenset(
    {
        "GroupMailbox",
        "MailNonUniversalGroup",
        "MailUniversalDistributionGroup",
        "MailUniversalSecurityGroup",
        "RoomList",
    }
)
"""RecipientTypeDetails of groups that a policy can be assigned to: Microsoft 365, security and
distribution groups (MicrosoftDocs Assign policies to users and groups).
"""
WITHOUT_GROUPS: Final = frozenset({"dod"})
"""Clouds in which no policy can be assigned to a group (MicrosoftDocs New-CsGroupPolicyAssignment).
"""
FACTS: Final = ProductFacts(
    title="Teams",
    noun="CsApplicationAccessPolicy",
    turn=1,
    document_kind=Kind.TEAMS_POLICY,
    selectable=(
        "teams.policy/NAME",
        "teams.grant/user:ID",
        "teams.grant/group:ID",
        "teams.grant/tenant",
        "teams.application/APPID",
    ),
    subject_key="meetingsOf",
    access_title=(
        "Meetings and events of users (Teams; groups and everyone: users without a grant of their"
        " own)"
    ),
    everyone="EVERYONE without a grant",
    propagation=(
        "up to 30 minutes, through groups up to a day or more; also for what was taken away."
    ),
    enforced_after=30,  # Microsoft Learn, Configure an application access policy
    verified_after=30,  # the same page gives 30 minutes as the most
    unexplained="A change of who is in a group reaches its members after up to a day.",
    module="MicrosoftTeams",
    minimum="6.9.0",  # Get-CsOnlineUser has `-Properties` from here on (its page)
    versions="6.9.0 to 7.7.0",
    # Connect-MicrosoftTeams -TeamsEnvironmentName (its page)
    clouds={"gcch": "TeamsGCCH", "dod": "TeamsDOD", "china": "TeamsChina"},
    reads=(
        "Get-CsApplicationAccessPolicy",
        "Get-CsGroupPolicyAssignment",
        "Get-CsOnlineUser",
        "Get-CsUserPolicyAssignment",
    ),
    writes=(
        "New-CsApplicationAccessPolicy",
        "Set-CsApplicationAccessPolicy",
        "Grant-CsApplicationAccessPolicy",
        "Remove-CsApplicationAccessPolicy",
    ),
    # Microsoft Learn, Application-based authentication in Teams PowerShell Module
    roles=("Global Reader", "Teams Administrator"),
    permission="Organization.Read.All of Microsoft Graph",
    sign_in=SignInFacts(
        connect="Connect-MicrosoftTeams -TenantId:{tenant}",
        cloud_parameter="TeamsEnvironmentName",
        cmdlets_parameter=None,
        sessions=None,
        tenant_property="TenantId",
        disconnect="Disconnect-MicrosoftTeams -Confirm:$false",
    ),
)
