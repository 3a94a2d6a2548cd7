"""Facts of Microsoft Teams and its module."""

from __future__ import annotations

from typing import Final

from reconciler.model.product_facts import ProductFacts

MOST_GROUPS: Final = 64
"""Groups that can hold an application access policy, over all policies (MicrosoftDocs
New-CsGroupPolicyAssignment).
"""
FACTS: Final = ProductFacts(
    title="Teams",
    noun="CsApplicationAccessPolicy",
    module="MicrosoftTeams",
    minimum="6.9.0",  # Get-CsOnlineUser has `-Properties` from here on (its page)
    versions="6.9.0 to 7.7.0",
    reads=("Get-CsApplicationAccessPolicy", "Get-CsGroupPolicyAssignment", "Get-CsOnlineUser"),
    writes=(
        "New-CsApplicationAccessPolicy",
        "Set-CsApplicationAccessPolicy",
        "Grant-CsApplicationAccessPolicy",
        "Remove-CsApplicationAccessPolicy",
    ),
    # Microsoft Learn, Application-based authentication in Teams PowerShell Module
    roles=("Global Reader", "Teams Administrator"),
    permission="Organization.Read.All of Microsoft Graph",
)
