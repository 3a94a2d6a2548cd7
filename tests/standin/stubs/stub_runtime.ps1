# Sends one cmdlet call to the stub server and replays the server's answer. The contract is in README.md.
# Both stub modules, and the module that Connect-ExchangeOnline generates, dot-source this file: everything here is
# private to the module that does. Only .NET classes are used for the transport; no child process, no Add-Type.

$script:StubLink = $null              # the open connection, or $null
$script:StubSequence = 0              # number of the last request of this process and module
$script:StubModule = $null            # set by the module: MicrosoftTeams or ExchangeOnlineManagement
$script:StubConnection = $null        # set by the generated Exchange module: its connection id
$script:StubErrorSource = $null       # the inner function that writes this module's errors, or $null for the cmdlet itself
$script:StubExceptionTypes = @{}      # exception types of the service that were emitted on demand
$script:StubSecretText = @('AccessToken', 'AccessTokens')   # text parameters whose values never leave the process
$script:StubCommonNames = [System.Collections.Generic.HashSet[string]]::new(
    [string[]] @([System.Management.Automation.Cmdlet]::CommonParameters; [System.Management.Automation.Cmdlet]::OptionalCommonParameters),
    [System.StringComparer]::OrdinalIgnoreCase)

# ---- the link ---------------------------------------------------------------------------------------------------

function Open-StubLink {
    if ($null -ne $script:StubLink) { return }
    $address = "$env:RECONCILER_STUB_ADDRESS"
    $colon = $address.LastIndexOf(':')
    if ($colon -lt 1) { throw [System.InvalidOperationException]::new('RECONCILER_STUB_ADDRESS is not set to host:port: start the stub server first.') }
    $client = [System.Net.Sockets.TcpClient]::new()
    $client.NoDelay = $true
    $client.Connect($address.Substring(0, $colon), [int] $address.Substring($colon + 1))
    $utf8 = [System.Text.UTF8Encoding]::new($false, $true)
    $script:StubLink = @{
        Client = $client
        Reader = [System.IO.StreamReader]::new($client.GetStream(), $utf8, $false, 65536)
        Writer = [System.IO.StreamWriter]::new($client.GetStream(), $utf8, 65536)
    }
}

function Close-StubLink {
    if ($null -ne $script:StubLink) { $script:StubLink['Client'].Dispose() }
    $script:StubLink = $null
}

# Anything that goes wrong on the line looks like what a lost connection to the service looks like: the outcome is unknown.
function Stop-StubCall($Cmdlet, [string] $Why) {
    Close-StubLink
    $exception = [System.Net.Http.HttpRequestException]::new("An error occurred while sending the request. $Why")
    $Cmdlet.ThrowTerminatingError([System.Management.Automation.ErrorRecord]::new($exception, 'StubServerGone', 'ConnectionError', $null))
}

function Send-StubRequest($Cmdlet, $Request) {
    $line = ConvertTo-Json -InputObject $Request -Compress -Depth 30 -EscapeHandling EscapeNonAscii
    $why = $null
    try {
        Open-StubLink
        $writer = $script:StubLink['Writer']
        $writer.Write($line)
        $writer.Write("`n")
        $writer.Flush()
    }
    catch { $why = $_.Exception.GetBaseException().Message }
    if ($null -ne $why) { Stop-StubCall $Cmdlet $why }
}

# One line of the answer: {"id": n, "items": [...], "end": true|false}.
function Read-StubBatch($Cmdlet, [long] $Id) {
    $line = $why = $null
    try { $line = $script:StubLink['Reader'].ReadLine() }
    catch { $why = $_.Exception.GetBaseException().Message }
    if ($null -eq $line) { Stop-StubCall $Cmdlet "$why The stub server closed the connection." }
    $batch = $null
    try { $batch = ConvertFrom-Json -InputObject $line -AsHashtable -DateKind String }
    catch { $why = 'The answer is not JSON.' }
    if ($null -eq $batch -or $batch['id'] -ne $Id) { Stop-StubCall $Cmdlet "$why The answer does not belong to this request." }
    return $batch
}

# ---- values out: what was bound, as JSON ---------------------------------------------------------------------------

# Lets a test recognise a secret it knows without the secret ever being sent.
function Get-StubFingerprint([string] $Secret) {
    $key = [System.Text.Encoding]::UTF8.GetBytes("$env:RECONCILER_STUB_TOKEN")
    $hash = [System.Security.Cryptography.HMACSHA256]::HashData($key, [System.Text.Encoding]::UTF8.GetBytes($Secret))
    return 'hmac-sha256:' + [System.Convert]::ToHexString($hash).Substring(0, 32).ToLowerInvariant()
}

function ConvertTo-StubSecret($Value) {
    if ($Value -is [System.Security.SecureString]) {
        return [ordered]@{ '$type' = 'SecureString'; fingerprint = Get-StubFingerprint ([System.Net.NetworkCredential]::new('', $Value).Password) }
    }
    if ($Value -is [System.Management.Automation.PSCredential]) {
        return [ordered]@{ '$type' = 'PSCredential'; userName = $Value.UserName; fingerprint = Get-StubFingerprint $Value.GetNetworkCredential().Password }
    }
    if ($Value -is [System.Security.Cryptography.X509Certificates.X509Certificate2]) {
        return [ordered]@{ '$type' = 'X509Certificate2'; thumbprint = $Value.Thumbprint; subject = $Value.Subject; hasPrivateKey = $Value.HasPrivateKey }
    }
    if ($Value -is [string]) { return [ordered]@{ '$type' = 'secret'; fingerprint = Get-StubFingerprint $Value } }
    if ($Value -is [array]) { return , @(foreach ($item in $Value) { ConvertTo-StubSecret $item }) }
    return $null
}

function ConvertTo-StubTagged([string] $Type, [string] $Text) { return [ordered]@{ '$type' = $Type; value = $Text } }

function ConvertTo-StubMap([System.Collections.IDictionary] $Value, [int] $Depth) {
    $map = [ordered]@{}
    $plain = $true
    # A Hashtable has no order of its own, and a different one in every process.
    $keys = if ($Value -is [hashtable]) { @($Value.Keys | Sort-Object { "$_" }) } else { $Value.Keys }
    foreach ($key in $keys) {
        $map["$key"] = ConvertTo-StubValue $Value[$key] ($Depth - 1)
        if ("$key".StartsWith('$')) { $plain = $false }
    }
    if ($plain) { return $map }
    return [ordered]@{ '$type' = 'hashtable'; value = $map }
}

function ConvertTo-StubObject($Value, [int] $Depth) {
    $map = [ordered]@{}
    if ($Value.PSObject.BaseObject -is [System.Management.Automation.PSCustomObject]) {
        foreach ($property in $Value.PSObject.Properties) { $map[$property.Name] = ConvertTo-StubValue $property.Value ($Depth - 1) }
    }
    return [ordered]@{ '$type' = 'object'; name = "$($Value.PSObject.TypeNames[0])"; text = "$Value"; properties = $map }
}

# Strings, booleans, integers, $null, arrays and maps are themselves; everything else is an object with a "$type".
function ConvertTo-StubValue($Value, [int] $Depth = 12) {
    if ($null -eq $Value) { return $null }
    if ($Value -is [string]) { return [string] $Value }
    $plain = $Value.PSObject.BaseObject
    if ($plain -is [bool]) { return [bool] $plain }
    if ($plain -is [switch]) { return [bool] $plain }
    if ($plain -is [enum]) { return $plain.ToString() }
    if ($plain -is [int] -or $plain -is [long] -or $plain -is [uint] -or $plain -is [int16] -or $plain -is [uint16] -or $plain -is [byte]) { return [long] $plain }
    if ($plain -is [System.Security.SecureString] -or $plain -is [System.Management.Automation.PSCredential] -or
        $plain -is [System.Security.Cryptography.X509Certificates.X509Certificate2]) { return ConvertTo-StubSecret $plain }
    if ($plain -is [datetime]) { return ConvertTo-StubTagged 'datetime' $plain.ToString('o', [cultureinfo]::InvariantCulture) }
    if ($plain -is [guid]) { return ConvertTo-StubTagged 'guid' $plain.ToString() }
    if ($plain -is [scriptblock]) { return ConvertTo-StubTagged 'scriptblock' $plain.ToString() }
    if ($plain -is [ValueType] -or $plain -is [uri] -or $plain -is [version]) {
        return ConvertTo-StubTagged $plain.GetType().Name ([string]::Format([cultureinfo]::InvariantCulture, '{0}', $plain))
    }
    if ($Depth -le 0) { return ConvertTo-StubTagged 'too-deep' $plain.GetType().FullName }
    if ($plain -is [System.Collections.IDictionary]) { return ConvertTo-StubMap $plain $Depth }
    if ($plain -is [System.Collections.IEnumerable]) {
        $list = [System.Collections.Generic.List[object]]::new()
        foreach ($item in $plain) { $list.Add((ConvertTo-StubValue $item ($Depth - 1))) }
        return , $list.ToArray()
    }
    return ConvertTo-StubObject $Value $Depth
}

# ---- values in: what the service returns, as objects -----------------------------------------------------------------

# Everything that has a "$type" but is no "object" (a property bag with the type name that the module would show).
function ConvertFrom-StubTagged([System.Collections.IDictionary] $Value) {
    $text = "$($Value['value'])"
    $culture = [cultureinfo]::InvariantCulture
    switch -Regex -CaseSensitive ($Value['$type']) {
        '^datetime$' { return [datetime]::Parse($text, $culture, [System.Globalization.DateTimeStyles]::RoundtripKind) }
        '^datetimeoffset$' { return [datetimeoffset]::Parse($text, $culture) }
        '^guid$' { return [guid] $text }
        '^timespan$' { return [timespan]::Parse($text, $culture) }
        '^uri$' { return [uri] $text }
        '^version$' { return [version] $text }
        '^int32$' { return [int] $text }
        '^uint32$' { return [uint] $text }
        '^int64$' { return [long] $text }
        '^double$' { return [double]::Parse($text, $culture) }
        '^decimal$' { return [decimal]::Parse($text, $culture) }
        '^switch$' { return [switch] ($text -eq 'True') }
        '^enum:' { return [enum]::Parse([type] $_.Substring(5), $text) }
        '^hashtable$' { return ConvertFrom-StubHashtable $Value['value'] }
        '^list$' { return , [System.Collections.Generic.List[object]]::new([object[]] (ConvertFrom-StubValue $Value['value'])) }
    }
    throw [System.NotSupportedException]::new("The stub does not know the value type '$($Value['$type'])'.")
}

function ConvertFrom-StubHashtable([System.Collections.IDictionary] $Value) {
    $map = @{}
    foreach ($key in $Value.Keys) { $map[$key] = ConvertFrom-StubValue $Value[$key] }
    return $map
}

function ConvertFrom-StubObject([System.Collections.IDictionary] $Value) {
    $properties = $Value['properties']
    $bag = [ordered]@{}
    foreach ($key in $properties.Keys) {
        $item = $properties[$key]
        # Most properties are text: the call is worth avoiding (100,000 rows).
        $bag[$key] = if ($null -eq $item -or $item -is [string] -or $item -is [bool]) { $item } else { ConvertFrom-StubValue $item }
    }
    $object = [pscustomobject] $bag
    if ($Value['name']) { $object.PSObject.TypeNames.Insert(0, $Value['name']) }
    if ($null -ne $Value['text']) {
        $text = [string] $Value['text']
        Add-Member -InputObject $object -MemberType ScriptMethod -Name ToString -Value { $text }.GetNewClosure() -Force
    }
    return $object
}

function ConvertFrom-StubValue($Value) {
    if ($Value -is [System.Collections.IDictionary]) {
        if (-not $Value.Contains('$type')) { return ConvertFrom-StubObject @{ properties = $Value } }
        if ($Value['$type'] -eq 'object') { return ConvertFrom-StubObject $Value }
        return , (ConvertFrom-StubTagged $Value)
    }
    if ($Value -is [array]) {
        $list = [System.Collections.Generic.List[object]]::new($Value.Length)
        foreach ($item in $Value) { $list.Add((ConvertFrom-StubValue $item)) }
        return , $list.ToArray()
    }
    return $Value
}

# ---- errors ------------------------------------------------------------------------------------------------------------

# A public class of that full name, derived from Exception, with the constructor (message, inner).
function New-StubExceptionType([string] $Name) {
    $assembly = [System.Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly(
        [System.Reflection.AssemblyName]::new('StubExceptions'), [System.Reflection.Emit.AssemblyBuilderAccess]::Run)
    $builder = $assembly.DefineDynamicModule('StubExceptions').DefineType($Name, 'Public, Class', [System.Exception])
    $signature = [type[]] @([string], [System.Exception])
    $code = $builder.DefineConstructor('Public', 'Standard', $signature).GetILGenerator()
    $code.Emit([System.Reflection.Emit.OpCodes]::Ldarg_0)
    $code.Emit([System.Reflection.Emit.OpCodes]::Ldarg_1)
    $code.Emit([System.Reflection.Emit.OpCodes]::Ldarg_2)
    $code.Emit([System.Reflection.Emit.OpCodes]::Call, [System.Exception].GetConstructor($signature))
    $code.Emit([System.Reflection.Emit.OpCodes]::Ret)
    return $builder.CreateType()
}

function Get-StubExceptionType([string] $Name) {
    if ($script:StubExceptionTypes.ContainsKey($Name)) { return $script:StubExceptionTypes[$Name] }
    $type = $Name -as [type]
    if ($null -eq $type -and $Name -cmatch '^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$') { $type = New-StubExceptionType $Name }
    if ($null -eq $type -or -not [System.Exception].IsAssignableFrom($type)) { $type = [System.Exception] }
    $script:StubExceptionTypes[$Name] = $type
    return $type
}

# What HTTP errors carry: status and Retry-After, where a caller looks for them ($_.Exception.Response).
function New-StubResponse($Specification) {
    $response = [System.Net.Http.HttpResponseMessage]::new([System.Net.HttpStatusCode] [int] $Specification['status'])
    if ($null -ne $Specification['retryAfter']) {
        $wait = [timespan]::FromSeconds([int] $Specification['retryAfter'])
        $response.Headers.RetryAfter = [System.Net.Http.Headers.RetryConditionHeaderValue]::new($wait)
    }
    return $response
}

function New-StubException($Specification) {
    $inner = if ($null -ne $Specification['inner']) { New-StubException $Specification['inner'] } else { $null }
    $type = Get-StubExceptionType "$($Specification['type'] ?? 'System.Exception')"
    $message = [string] $Specification['message']
    $response = if ($null -ne $Specification['response']) { New-StubResponse $Specification['response'] } else { $null }
    $exception = $null
    $wide = $type.GetConstructor([type[]] @([string], [System.Exception]))
    if ($type.FullName -eq 'Microsoft.PowerShell.Commands.HttpResponseException') { return $type::new($message, $response) }
    elseif ($null -ne $wide) { $exception = $wide.Invoke([object[]] @($message, $inner)) }
    else { $exception = [System.Exception]::new($message, $inner) }
    if ($null -ne $response) { Add-Member -InputObject $exception -NotePropertyName Response -NotePropertyValue $response }
    return $exception
}

function New-StubErrorRecord($Cmdlet, $Item) {
    $exception = New-StubException $Item['exception']
    $category = [System.Management.Automation.ErrorCategory] ($Item['category'] ?? 'NotSpecified')
    $record = [System.Management.Automation.ErrorRecord]::new($exception, [string] $Item['id'], $category, (ConvertFrom-StubValue $Item['target']))
    $record.CategoryInfo.Activity = $Item['activity'] ?? $Cmdlet.MyInvocation.MyCommand.Name
    if ($null -ne $Item['reason']) { $record.CategoryInfo.Reason = $Item['reason'] }
    if ($null -ne $Item['targetName']) { $record.CategoryInfo.TargetName = $Item['targetName'] }
    if ($null -ne $Item['targetType']) { $record.CategoryInfo.TargetType = $Item['targetType'] }
    if ($null -ne $Item['details']) {
        $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new([string] $Item['details'])
        if ($null -ne $Item['recommendedAction']) { $record.ErrorDetails.RecommendedAction = $Item['recommendedAction'] }
    }
    return $record
}

# The second half of a FullyQualifiedErrorId is the name of the command that wrote the record. The real modules write
# theirs from inner commands, so an inner function of that name is made for the moment.
function Write-StubErrorFrom([string] $Source, $Record, [bool] $Terminating) {
    $body = {
        [CmdletBinding()] param($Record, [bool] $Terminating)
        if ($Terminating) { $PSCmdlet.ThrowTerminatingError($Record) }
        $PSCmdlet.WriteError($Record)
    }
    $inner = Set-Item -LiteralPath "Function:$Source" -Value $body -PassThru
    if (-not $Terminating) { & $inner $Record $false; return }
    try { & $inner $Record $true } catch { throw }
}

function Write-StubError($Cmdlet, $Item) {
    $record = New-StubErrorRecord $Cmdlet $Item
    $kind = "$($Item['terminating'])"
    $source = $Item['source'] ?? $script:StubErrorSource
    # Under -ErrorAction SilentlyContinue and without a try, PowerShell goes on after a throw: hence the return.
    if ($kind -eq 'throw') { throw $record; return }
    if ($source) { Write-StubErrorFrom $source $record ($kind -eq 'True') }
    elseif ($kind -eq 'True') { $Cmdlet.ThrowTerminatingError($record) }
    else { $Cmdlet.WriteError($record) }
}

# ---- replay --------------------------------------------------------------------------------------------------------------

function Write-StubConsole($Item) {
    $text = [string] $Item['text']
    switch ($Item['to']) {
        'error' { [Console]::Error.Write($text) }
        # Past Console.SetOut, straight to file descriptor 1: what a native child of the module would do.
        'descriptor' {
            $bytes = [System.Text.Encoding]::UTF8.GetBytes($text)
            $stream = [Console]::OpenStandardOutput()
            $stream.Write($bytes, 0, $bytes.Length)
            $stream.Flush()
        }
        default { [Console]::Out.Write($text); [Console]::Out.Flush() }
    }
}

function Write-StubProgress($Cmdlet, $Item) {
    $record = [System.Management.Automation.ProgressRecord]::new([int] ($Item['activityId'] ?? 1), [string] $Item['activity'], [string] ($Item['status'] ?? ' '))
    if ($null -ne $Item['percent']) { $record.PercentComplete = [int] $Item['percent'] }
    if ($Item['completed']) { $record.RecordType = 'Completed' }
    $Cmdlet.WriteProgress($record)
}

function Write-StubInformation($Cmdlet, $Item) {
    $message = ConvertFrom-StubValue $Item['message']
    $Cmdlet.WriteInformation($message, [string[]] @($Item['tags']))
}

function Stop-StubProcess($Item) {
    if ($Item['how'] -eq 'exit') { [System.Environment]::Exit([int] $Item['code']) }
    [System.Diagnostics.Process]::GetCurrentProcess().Kill()
    Start-Sleep -Seconds 60
}

function Write-StubItem($Cmdlet, $Item, $State) {
    if ($Item['stream'] -eq 'output') {
        $Cmdlet.WriteObject((ConvertFrom-StubValue $Item['value']), [bool] $Item['enumerate'])
        return
    }
    switch ($Item['stream']) {
        'error' { $State['Failed'] = $true; $State['Ended'] = [bool] $Item['terminating']; Write-StubError $Cmdlet $Item }
        # What the module catches itself and goes on from: it stays in $Error.
        'swallowed' { try { throw (New-StubErrorRecord $Cmdlet $Item) } catch { $null = $_ } }
        'warning' { $Cmdlet.WriteWarning([string] $Item['message']) }
        'verbose' { $Cmdlet.WriteVerbose([string] $Item['message']) }
        'debug' { $Cmdlet.WriteDebug([string] $Item['message']) }
        'information' { Write-StubInformation $Cmdlet $Item }
        'host' { Write-Host ([string] $Item['message']) }
        'progress' { Write-StubProgress $Cmdlet $Item }
        'consoleWrite' { Write-StubConsole $Item }
        'sleep' { Start-Sleep -Milliseconds ([int] $Item['milliseconds']) }
        'exit' { Stop-StubProcess $Item }
        'available' { $State['Available'] = @($Item['cmdlets']) }
        default { throw [System.NotSupportedException]::new("The stub does not know the stream '$($Item['stream'])'.") }
    }
}

# ---- one call --------------------------------------------------------------------------------------------------------------

function New-StubRequest($Cmdlet, $Bound, [bool] $Proceed, $Extra) {
    $parameters = [ordered]@{}
    $common = [ordered]@{}
    foreach ($name in $Bound.Keys) {
        if ($script:StubCommonNames.Contains($name)) { $common[$name] = ConvertTo-StubValue $Bound[$name] }
        elseif ($name -in $script:StubSecretText) { $parameters[$name] = ConvertTo-StubSecret $Bound[$name] }
        else { $parameters[$name] = ConvertTo-StubValue $Bound[$name] }
    }
    $request = [ordered]@{
        token = "$env:RECONCILER_STUB_TOKEN"; id = ++$script:StubSequence; module = $script:StubModule
        cmdlet = $Cmdlet.MyInvocation.MyCommand.Name; parameterSet = $Cmdlet.ParameterSetName
        parameters = $parameters; common = $common; proceed = $Proceed; connection = $script:StubConnection
    }
    foreach ($name in $Extra.Keys) { $request[$name] = $Extra[$name] }
    return $request
}

# The thing a -WhatIf or -Confirm text names.
function Get-StubTarget($Bound) {
    foreach ($name in 'Identity', 'Name', 'GroupId', 'AppId', 'Group') { if ($Bound.ContainsKey($name)) { return "$($Bound[$name])" } }
    return 'tenant'
}

# PowerShell's own question; where nobody can answer it (-NonInteractive) the call ends here, before anything is sent.
function Test-StubProceed($Cmdlet, [string] $Target) {
    try { return $Cmdlet.ShouldProcess($Target) }
    catch { $Cmdlet.ThrowTerminatingError($_) }
}

# Returns @{ Failed; Ended; Available }: whether an error was replayed, whether it ended the call, what a connect allows.
function Invoke-Stub($Cmdlet, $Bound, [switch] $Confirmable, $Extra = @{}) {
    $proceed = -not $Confirmable -or (Test-StubProceed $Cmdlet (Get-StubTarget $Bound))
    $request = New-StubRequest $Cmdlet $Bound $proceed $Extra
    $state = @{ Failed = $false; Ended = $false; Available = $null }
    $whole = $false
    Send-StubRequest $Cmdlet $request
    try {
        while (-not $whole -and -not $state['Ended']) {
            $batch = Read-StubBatch $Cmdlet $request['id']
            $whole = [bool] $batch['end']
            foreach ($item in $batch['items']) {
                Write-StubItem $Cmdlet $item $state
                if ($state['Ended']) { break }
            }
        }
    }
    finally {
        # A call that was cut short (Stop, Select-Object -First) must not leave its tail for the next one.
        if (-not $whole) { Close-StubLink }
        if ($null -ne $script:StubErrorSource) { $global:EXO_LastExecutionStatus = $whole -and -not $state['Failed'] }
    }
    return $state
}
