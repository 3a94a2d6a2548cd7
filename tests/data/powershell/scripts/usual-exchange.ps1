# ========== Exchange: 2 of the 4 steps of one plan for tenant 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a (contoso.onmicrosoft.com)
# ========== This plan: plan:1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a
# ========== What it does: content:2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b
# ========== Made from a capture of 2026-11-20T08:00:00Z. The script does not look whether the tenant has moved since; `reconciler apply` does.
# ========== Grants of the whole plan: 0 to add, 0 to move, 0 to remove.
# ========== Policies of the whole plan: 0 to add, 0 to change, 0 to destroy.
# ========== Run it as a whole, in a session of its own: pwsh -NoProfile -File SCRIPT
#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.10.0' }

$PSDefaultParameterValues = @{}
if (Get-Module -Name 'MicrosoftTeams') { throw 'This session has the other product''s module loaded, or is connected already. Start a fresh one: pwsh -NoProfile -File SCRIPT' }
if (@(Get-ConnectionInformation).Count) { throw 'This session has the other product''s module loaded, or is connected already. Start a fresh one: pwsh -NoProfile -File SCRIPT' }

# ========== The modules read the session's preferences, not this script's: they are set for the session and set back at the end.
$preferences = @($global:ErrorActionPreference, $global:WhatIfPreference)
$connected = $false
try {
$global:ErrorActionPreference = 'Stop'
$global:WhatIfPreference = $false

$connections = @(Connect-ExchangeOnline -CommandName:@('New-ApplicationAccessPolicy','Remove-ApplicationAccessPolicy') -ShowBanner:$false -SkipLoadingFormatData:$true)
$connected = $true
$connections = @(Get-ConnectionInformation)
if ($connections.Count -ne 1 -or -not [string]::Equals([string]$connections[0].TenantID, '596ade3a-1abe-4c5b-b7d5-a169c4b05d4a', [StringComparison]::OrdinalIgnoreCase)) { throw 'This is not tenant 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a. Nothing was changed.' }
foreach ($name in @('New-ApplicationAccessPolicy','Remove-ApplicationAccessPolicy')) { if (-not (Get-Command -Name $name -CommandType Cmdlet, Function -ErrorAction Ignore)) { throw 'Your role does not give you every cmdlet that this script needs. Nothing was changed.' } }

# ========== restrict the application to this scope
Write-Host 'Step 1 of 2: exchange.policy/ddb80e06-92f3-4978-bc22-a0eee85e6a9e@8b6ce428-cca2-459a-ac50-d38bcc932258 (scheduling-bot)'
New-ApplicationAccessPolicy -AppId:@('ddb80e06-92f3-4978-bc22-a0eee85e6a9e') -PolicyScopeGroupId:'8b6ce428-cca2-459a-ac50-d38bcc932258' -AccessRight:'RestrictAccess' -Description:'EvenUsers only' -Confirm:$false

# ========== remove a denial (temporary)
Write-Host 'Step 2 of 2: exchange.policy/ddb80e06-92f3-4978-bc22-a0eee85e6a9e@x (scheduling-bot)'
Remove-ApplicationAccessPolicy -Identity:'t\a:S-1;x' -Confirm:$false

Write-Host 'Done: 2 of 2 steps. To see whether the tenant is as planned, plan again.'
}
finally {
if ($connected) { try { Disconnect-ExchangeOnline -Confirm:$false } catch { Write-Warning ([string]$_) } }
$global:ErrorActionPreference, $global:WhatIfPreference = $preferences
}
