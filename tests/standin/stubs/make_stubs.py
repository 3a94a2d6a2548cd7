"""Generates stub PowerShell modules from the parameter catalogues. Standard library only.

    python -m tests.standin.stubs.make_stubs --out MODULES [--service-types object|string]

Writes MODULES/MicrosoftTeams/7.7.0 and MODULES/ExchangeOnlineManagement/3.10.1: put MODULES on
PSModulePath and the stubs import under the real names and versions. Every catalogued cmdlet becomes
an advanced function with the catalogued parameters, sets, positions, pipeline binding and
ShouldProcess, so that binding is PowerShell's own; its body forwards the call to the server of
README.md. The same catalogue and options give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE.parents[1] / "data" / "powershell"
Json = dict[str, Any]

# Catalogue type -> what the stub declares. Types of plain .NET are themselves. The rest live in the
# modules' own assemblies or only in the service, and the stub declares the nearest plain type; the
# reason is beside each.
PLAIN_TYPES = {
    "String": "string",
    "String[]": "string[]",
    "Object": "object",
    "SwitchParameter": "switch",
    "Boolean": "bool",
    "Int32": "int",
    "UInt32": "uint",
    "Nullable[Int32]": "System.Nullable[int]",
    "Hashtable": "hashtable",
    "Uri": "uri",
    "PSCredential": "pscredential",
    "SecureString": "securestring",
    "X509Certificate2": "System.Security.Cryptography.X509Certificates.X509Certificate2",
    "PSSessionOption": "System.Management.Automation.Remoting.PSSessionOption",
}
NEAREST_TYPES = {
    "CertificateParameter (implicit from String thumbprint or X509Certificate2)": (
        "object"
    ),  # takes both, so does the stub
    "IConfigApiBasedCmdletsIdentity": (
        "object"
    ),  # a generated model; takes a map or an object from the pipeline
    "SendAsyncStep[]": "object[]",  # an array of delegates of the generated client; hidden plumbing
    "Hashtable/dictionary (internal)": "hashtable",
}
# Enumerations that the modules define themselves (compiled): declared as PowerShell enumerations of
# the same name.
MODULE_ENUMERATIONS = {"AccountType", "LogLevel", "ExchangeEnvironment"}
# Every other type name of the Exchange catalogue is a server type. The module's functions are
# generated from the server's metadata and cannot know it on the client, so they declare [object]
# (INFERRED; --service-types string for the other answer).
SERVICE_TYPE = {"object": "object", "string": "string"}

ALL_SETS = "(All)"
UNNAMED_SET = "__AllParameterSets"

# Cmdlets that do more than forward: name -> the function of exchange_session.ps1 that does it.
SESSION_BODIES = {
    "Connect-ExchangeOnline": "Connect-StubExchange",
    "Disconnect-ExchangeOnline": "Disconnect-StubExchange",
    "Get-ConnectionInformation": "Show-StubConnection",
}


@dataclass(frozen=True)
class Module:
    """One stub module: its catalogue, name, version, and the extra script it loads."""

    catalogue: str
    name: str
    version: str
    scripts: tuple[str, ...]
    settings: tuple[str, ...]


MODULES = (
    Module(
        "cmdlets-teams.json",
        "MicrosoftTeams",
        "7.7.0",
        ("stub_runtime.ps1",),
        ("$script:StubModule = 'MicrosoftTeams'",),
    ),
    Module(
        "cmdlets-exchange.json",
        "ExchangeOnlineManagement",
        "3.10.1",
        ("stub_runtime.ps1", "exchange_session.ps1"),
        ("$script:StubModule = 'ExchangeOnlineManagement'",),
    ),
)


# ---- PowerShell text
# --------------------------------------------------------------------------------------------------


def literal(text: str) -> str:
    """A single-quoted literal; catalogue names hold no typographic quotes, and one that did must
    not pass.
    """
    if any(c in text for c in "\u2018\u2019\u201a\u201b\r\n"):
        raise ValueError(f"not a name: {text!r}")
    return "'" + text.replace("'", "''") + "'"


def array(names: list[str]) -> str:
    return "@(" + ", ".join(literal(n) for n in names) + ")"


# ---- one parameter
# ------------------------------------------------------------------------------------------------------


def declared_type(parameter: Json, service_type: str) -> str:
    """The PowerShell type of a catalogued parameter."""
    name: str = parameter["type"]
    if name in PLAIN_TYPES:
        return PLAIN_TYPES[name]
    if name in NEAREST_TYPES:
        return NEAREST_TYPES[name]
    if name in MODULE_ENUMERATIONS:
        return name
    nearest = SERVICE_TYPE[service_type]
    return nearest + "[]" if name.endswith("[]") else nearest


def pipeline_arguments(pipeline: bool | str) -> list[str]:
    """`true` in the Exchange catalogue is the docs' word for both ways; Teams' says which."""
    kinds = (
        {"ByValue", "ByPropertyName"} if pipeline is True else set(str(pipeline or "").split("+"))
    )
    return [
        f"{word}=$true"
        for word, kind in (
            ("ValueFromPipeline", "ByValue"),
            ("ValueFromPipelineByPropertyName", "ByPropertyName"),
        )
        if kind in kinds
    ]


def set_names(parameter: Json, cmdlet: Json) -> list[str]:
    """The sets to declare a parameter in.

    One unnamed declaration unless it is mandatory only in some sets.
    """
    if parameter["sets"] != [ALL_SETS]:
        return list(parameter["sets"])
    if parameter.get("mandatoryIn") and not parameter["mandatory"]:
        return list(cmdlet["parameterSets"])
    return [""]


def is_mandatory(parameter: Json, set_name: str) -> bool:
    return bool(parameter["mandatory"]) or set_name in parameter.get("mandatoryIn", ())


def parameter_attribute(parameter: Json, set_name: str) -> str:
    arguments = [f"ParameterSetName={literal(set_name)}"] if set_name else []
    if is_mandatory(parameter, set_name):
        arguments.append("Mandatory=$true")
    if parameter["position"] is not None:
        arguments.append(f"Position={int(parameter['position'])}")
    arguments += pipeline_arguments(parameter["pipeline"])
    if parameter.get("hidden"):
        arguments.append("DontShow=$true")
    return f"[Parameter({', '.join(arguments)})]"


def parameter_lines(name: str, parameter: Json, cmdlet: Json, service_type: str) -> Iterator[str]:
    declared = declared_type(parameter, service_type)
    for set_name in set_names(parameter, cmdlet):
        yield parameter_attribute(parameter, set_name)
    if parameter.get("aliases"):
        yield f"[Alias({', '.join(literal(a) for a in parameter['aliases'])})]"
    if parameter.get("allowEmptyCollection"):
        yield "[AllowEmptyCollection()]"
    if parameter["type"] == "String" and "values" in parameter:
        yield f"[ValidateSet({', '.join(literal(v) for v in parameter['values'])})]"
    note = "" if parameter["type"] in PLAIN_TYPES else f"  # {parameter['type']}"
    yield f"[{declared}] ${{{name}}}{note}"


# ---- one cmdlet
# ---------------------------------------------------------------------------------------------------------


def default_set(cmdlet: Json) -> str | None:
    """The default parameter set, or None when the cmdlet has only the unnamed one."""
    catalogued = cmdlet.get("defaultParameterSet")
    marked = next((s for s, body in cmdlet["parameterSets"].items() if body.get("default")), None)
    chosen = catalogued or marked or cmdlet.get("assumedDefaultSet")
    return None if chosen in (None, UNNAMED_SET, ALL_SETS) else str(chosen)


def confirm_impact(cmdlet: Json) -> str:
    """Documented prompts become High: the harsher reading, which stops a caller that forgot
    -Confirm:$false.
    """
    if cmdlet.get("confirm", {}).get("documentedDefaultPrompt"):
        return "High"
    return str(cmdlet.get("confirmImpact") or "Medium").split()[0]


def binding_attribute(name: str, cmdlet: Json) -> str:
    arguments = ["PositionalBinding=$false"]
    if default := default_set(cmdlet):
        arguments.append(f"DefaultParameterSetName={literal(default)}")
    if cmdlet["supportsShouldProcess"]:
        arguments += [
            "SupportsShouldProcess=$true",
            f"ConfirmImpact={literal(confirm_impact(cmdlet))}",
        ]
    return f"[CmdletBinding({', '.join(arguments)})]"


def own_parameters(cmdlet: Json) -> dict[str, Json]:
    """Without -WhatIf and -Confirm, which the Exchange catalogue lists and ShouldProcess brings."""
    supplied = {"WhatIf", "Confirm"} if cmdlet["supportsShouldProcess"] else set()
    return {n: p for n, p in cmdlet["parameters"].items() if n not in supplied}


def body_line(name: str, cmdlet: Json) -> str:
    if name in SESSION_BODIES:
        return f"{SESSION_BODIES[name]} $PSCmdlet $PSBoundParameters"
    confirmable = " -Confirmable" if cmdlet["supportsShouldProcess"] else ""
    return f"$null = Invoke-Stub $PSCmdlet $PSBoundParameters{confirmable}"


def function_text(name: str, cmdlet: Json, service_type: str) -> str:
    """The advanced function that stands for one cmdlet."""
    blocks = [
        "\n".join("        " + line for line in parameter_lines(n, p, cmdlet, service_type))
        for n, p in own_parameters(cmdlet).items()
    ]
    lines = [f"function {name} {{", "    " + binding_attribute(name, cmdlet)]
    lines += [f"    [OutputType({literal(t)})]" for t in cmdlet.get("outputTypes", [])]
    return "\n".join(
        [
            *lines,
            "    param(",
            joined(blocks),
            "    )",
            f"    process {{ {body_line(name, cmdlet)} }}",
            "}",
            "",
        ]
    )


def joined(blocks: list[str]) -> str:
    """Parameters separated by commas; a comment at the end of a declaration comes after its comma."""
    out = []
    for number, block in enumerate(blocks):
        comma = "," if number < len(blocks) - 1 else ""
        code, mark, comment = block.partition("  # ")
        out.append(code + comma + mark + comment)
    return "\n".join(out)


# ---- one module
# ---------------------------------------------------------------------------------------------------------


def enumeration_lines(cmdlets: dict[str, Json]) -> Iterator[str]:
    seen: dict[str, list[str]] = {}
    for cmdlet in cmdlets.values():
        for parameter in cmdlet["parameters"].values():
            if parameter["type"] in MODULE_ENUMERATIONS:
                seen.setdefault(parameter["type"], parameter["values"])
    for name, values in seen.items():
        yield f"enum {name} {{ {'; '.join(values)} }}"


def exported(cmdlets: dict[str, Json]) -> list[str]:
    """Names that the module shows right after its import."""
    return [
        n
        for n, c in cmdlets.items()
        if c.get("exported", True) and not c.get("importedAtConnect", False)
    ]


def manifest_text(module: Module, names: list[str]) -> str:
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"stub:{module.name}:{module.version}")
    return "\n".join(
        [
            "@{",
            f"    RootModule = {literal(module.name + '.psm1')}",
            f"    ModuleVersion = {literal(module.version)}",
            f"    GUID = '{identity}'",
            "    Author = 'stub'",
            (
                "    Description ="
                f" {literal('Stub of ' + module.name + ' for tests: forwards every call to a local server.')}"
            ),
            "    PowerShellVersion = '7.6'",
            "    CompatiblePSEditions = @('Core')",
            f"    FunctionsToExport = {array(names)}",
            "    CmdletsToExport = @()",
            "    AliasesToExport = @()",
            "    VariablesToExport = @()",
            "}",
            "",
        ]
    )


def module_text(module: Module, cmdlets: dict[str, Json], service_type: str) -> str:
    inside = {n: c for n, c in cmdlets.items() if not c.get("importedAtConnect", False)}
    head = [
        "# Generated by make_stubs.py from "
        + module.catalogue
        + ". A stub for tests, not Microsoft's module.",
        "",
    ]
    loads = [f". (Join-Path $PSScriptRoot {literal(s)})" for s in module.scripts]
    functions = [function_text(n, c, service_type) for n, c in inside.items()]
    tail = f"Export-ModuleMember -Function {array(exported(cmdlets))}\n"
    return "\n".join(
        [*head, *enumeration_lines(inside), "", *loads, *module.settings, "", *functions, tail]
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def make_module(module: Module, catalogue: Path, out: Path, service_type: str) -> Path:
    """Writes one module and returns its folder."""
    cmdlets: dict[str, Json] = json.loads(
        (catalogue / module.catalogue).read_text(encoding="utf-8")
    )["cmdlets"]
    folder = out / module.name / module.version
    shutil.rmtree(folder, ignore_errors=True)
    for script in module.scripts:
        write(folder / script, (HERE / script).read_text(encoding="utf-8"))
    write(folder / f"{module.name}.psd1", manifest_text(module, exported(cmdlets)))
    write(folder / f"{module.name}.psm1", module_text(module, cmdlets, service_type))
    for name, cmdlet in cmdlets.items():
        if cmdlet.get("importedAtConnect", False):
            write(folder / "commands" / f"{name}.ps1", function_text(name, cmdlet, service_type))
    return folder


def make_stubs(out: Path, catalogue: Path = CATALOGUE, service_type: str = "object") -> list[Path]:
    """Writes both modules under `out`; `service_type` is how server types are declared, "object" or
    "string".
    """
    return [make_module(module, catalogue, out, service_type) for module in MODULES]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description="Generate stub PowerShell modules from the parameter catalogues."
    )
    parser.add_argument(
        "--catalogue",
        type=Path,
        default=CATALOGUE,
        help="folder with cmdlets-teams.json and cmdlets-exchange.json",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for PSModulePath")
    parser.add_argument(
        "--service-types",
        choices=sorted(SERVICE_TYPE),
        default="object",
        help="how server types are declared",
    )
    options = parser.parse_args(arguments)
    for folder in make_stubs(options.out, options.catalogue, options.service_types):
        print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
