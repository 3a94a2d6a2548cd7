"""Facts of Exchange Online and its module."""

from __future__ import annotations

from typing import Final

from reconciler.model.documents import Kind
from reconciler.model.product_facts import ProductFacts, SignInFacts

SPACE_WARNING: Final = 100
SPACE_LIMIT: Final = 300
"""The store is limited in bytes: about 100 policies fit with default descriptions, about 300 with
one-space ones (MicrosoftDocs New-ApplicationAccessPolicy).
"""
MAILBOX_PERMISSIONS: Final = frozenset(
    (
        "Calendars.Read",
        "Calendars.ReadWrite",
        "Contacts.Read",
        "Contacts.ReadWrite",
        "Mail.Read",
        "Mail.ReadBasic",
        "Mail.ReadBasic.All",
        "Mail.ReadWrite",
        "Mail.Send",
        "MailboxSettings.Read",
        "MailboxSettings.ReadWrite",
        "full_access_as_app",
    )
)
"""Application permissions that access policies govern (Microsoft Graph, Limiting application
permissions to specific Exchange Online mailboxes; the last one is that of Exchange Web Services).
"""
FACTS: Final = ProductFacts(
    title="Exchange",
    noun="ApplicationAccessPolicy",
    turn=0,
    document_kind=Kind.EXCHANGE_POLICY,
    selectable=("exchange.application/APPID", "exchange.policy/APPID@SCOPEID"),
    subject_key="mailbox",
    access_title="Mailboxes (Exchange)",
    everyone="EVERY mailbox",
    propagation="usually after 15 to 60 minutes, maybe hours; also for what was taken away.",
    enforced_after=60,  # Microsoft Learn, Limiting application permissions: it can take longer than an hour
    # The same page: "longer than 1 hour"; that it is a quarter of an hour more is our own margin.
    verified_after=75,
    unexplained=(
        "If Test-ApplicationAccessPolicy says Granted too, look at Get-OrganizationConfig | Select"
        " EnforceExoAppRbacPermissions: the organization may ask for RBAC for Applications instead."
    ),
    module="ExchangeOnlineManagement",
    minimum="3.10.0",  # runs on PowerShell 7.6 from here on
    versions="3.10.0 and 3.10.1",
    # Connect-ExchangeOnline -ExchangeEnvironmentName (its page)
    clouds={"gcch": "O365USGovGCCHigh", "dod": "O365USGovDoD", "china": "O365China"},
    reads=(
        "Get-ApplicationAccessPolicy",
        "Get-Recipient",
        "Get-DistributionGroupMember",
        "Test-ApplicationAccessPolicy",
        "Get-Group",
    ),
    writes=(
        "New-ApplicationAccessPolicy",
        "Set-ApplicationAccessPolicy",
        "Remove-ApplicationAccessPolicy",
    ),
    # Microsoft Learn, App-only authentication for unattended scripts in Exchange Online PowerShell
    roles=("Global Reader", "Exchange Administrator"),
    permission="Exchange.ManageAsApp of Office 365 Exchange Online",
    sign_in=SignInFacts(
        connect=(
            "Connect-ExchangeOnline -CommandName:{cmdlets} -ShowBanner:$false"
            " -SkipLoadingFormatData:$true"
        ),
        cloud_parameter="ExchangeEnvironmentName",
        cmdlets_parameter="CommandName",
        sessions="Get-ConnectionInformation",
        tenant_property="TenantID",
        disconnect="Disconnect-ExchangeOnline -Confirm:$false",
    ),
)
