# ========== Teams: 2 of the 4 steps of one plan for tenant 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a (contoso.onmicrosoft.com)
# ========== This plan: plan:1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a
# ========== What it does: content:2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b
# ========== Made from a capture of 2026-11-20T08:00:00Z. The script does not look whether the tenant has moved since; `reconciler apply` does.
# ========== Grants of the whole plan: 0 to add, 0 to move, 0 to remove.
# ========== Policies of the whole plan: 0 to add, 0 to change, 0 to destroy.
# ========== Run the Exchange script of this plan first.
# ========== Run it as a whole, in a session of its own: pwsh -NoProfile -File SCRIPT
#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'MicrosoftTeams'; ModuleVersion = '6.9.0' }

$PSDefaultParameterValues = @{}
if (Get-Module -Name 'ExchangeOnlineManagement') { throw 'This session has the other product''s module loaded, or is connected already. Start a fresh one: pwsh -NoProfile -File SCRIPT' }

# ========== The modules read the session's preferences, not this script's: they are set for the session and set back at the end.
$preferences = @($global:ErrorActionPreference, $global:WhatIfPreference)
$connected = $false
try {
$global:ErrorActionPreference = 'Stop'
$global:WhatIfPreference = $false

$connections = @(Connect-MicrosoftTeams -TenantId:'596ade3a-1abe-4c5b-b7d5-a169c4b05d4a')
$connected = $true
if ($connections.Count -ne 1 -or -not [string]::Equals([string]$connections[0].TenantId, '596ade3a-1abe-4c5b-b7d5-a169c4b05d4a', [StringComparison]::OrdinalIgnoreCase)) { throw 'This is not tenant 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a. Nothing was changed.' }
foreach ($name in @('Grant-CsApplicationAccessPolicy','New-CsApplicationAccessPolicy')) { if (-not (Get-Command -Name $name -CommandType Cmdlet, Function -ErrorAction Ignore)) { throw 'Your role does not give you every cmdlet that this script needs. Nothing was changed.' } }

# ========== create the policy with its final content
Write-Host 'Step 1 of 2: teams.policy/Test-policy'
New-CsApplicationAccessPolicy -Identity:'Test-policy' -AppIds:@('ddb80e06-92f3-4978-bc22-a0eee85e6a9e')

# ========== grant the policy to the user
Write-Host 'Step 2 of 2: teams.grant/user:748d2cbb-3b55-40ed-8c34-2eae5932b22a (Megan Bowen)'
Grant-CsApplicationAccessPolicy -Identity:'748d2cbb-3b55-40ed-8c34-2eae5932b22a' -PolicyName:'Test-policy'

Write-Host 'Done: 2 of 2 steps. To see whether the tenant is as planned, plan again.'
}
finally {
if ($connected) { try { Disconnect-MicrosoftTeams -Confirm:$false } catch { Write-Warning ([string]$_) } }
$global:ErrorActionPreference, $global:WhatIfPreference = $preferences
}
