<#
Marks the packets of calls on Windows for differentiated service (DSCP). Windows does not let programs mark
their packets by themselves; policies do it.

    .\windows-qos.ps1                                       this computer
    .\windows-qos.ps1 -Store 'example.com\Calls'            the group policy object "Calls" of a domain
    .\windows-qos.ps1 -Start 16384 -Stop 32766              ports as in the SIP profile of the phones
    .\windows-qos.ps1 -Remove                               takes the policies away again

Needs PowerShell as administrator. The media ports are halved as Offhook halves them: audio below the
middle, video from it on (docs/policy.md). A computer that is in no domain marks only when the registry
value "Do not use NLA" is "1", which is set here for this computer only.

Not tried by the project: no Windows was at hand. The cmdlets are those of the NetQos module.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [ValidateRange(1024, 65535)][int]$Start = 16384,
    [ValidateRange(1024, 65535)][int]$Stop = 32766,
    [string]$Program = 'offhook.exe',
    [string]$Store = 'localhost',
    [switch]$Remove
)
$ErrorActionPreference = 'Stop'

if ($Stop -lt $Start + 5) { throw "The media ports $Start to $Stop are too few for a call with video." }
$middle = $Start + [math]::Floor(($Stop - $Start) / 2)

# DSCP 46 for audio, 34 for video, 24 for signalling.
$policies = @(
    @{ Name = 'Offhook audio';         DSCPAction = 46; IPProtocolMatchCondition = 'UDP'
       IPSrcPortStartMatchCondition = $Start;  IPSrcPortEndMatchCondition = $middle - 1 }
    @{ Name = 'Offhook video';         DSCPAction = 34; IPProtocolMatchCondition = 'UDP'
       IPSrcPortStartMatchCondition = $middle; IPSrcPortEndMatchCondition = $Stop }
    @{ Name = 'Offhook signalling';    DSCPAction = 24; IPProtocolMatchCondition = 'TCP'
       IPDstPortStartMatchCondition = 5060;    IPDstPortEndMatchCondition = 5061 }
    @{ Name = 'Offhook signalling UDP'; DSCPAction = 24; IPProtocolMatchCondition = 'UDP'
       IPDstPortStartMatchCondition = 5060;    IPDstPortEndMatchCondition = 5060 }
)

foreach ($policy in $policies) {
    Get-NetQosPolicy -Name $policy.Name -PolicyStore $Store -ErrorAction SilentlyContinue |
        Remove-NetQosPolicy -Confirm:$false
    if (-not $Remove) {
        New-NetQosPolicy @policy -AppPathNameMatchCondition $Program -PolicyStore $Store
    }
}

if ($Store -eq 'localhost' -and -not $Remove) {
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\QoS'
    if (-not (Test-Path $key)) { New-Item -Path $key | Out-Null }
    New-ItemProperty -Path $key -Name 'Do not use NLA' -Value '1' -PropertyType String -Force | Out-Null
}
