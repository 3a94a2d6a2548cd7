"""What reads a job's log, written from what it does and not from what we print: the runner of
GitHub Actions, the agent of Azure Pipelines, and an eye that reads `\\u{HEX}` back.
"""

from __future__ import annotations

import re
from typing import NamedTuple

GITHUB_COMMANDS = frozenset(
    {
        *("error", "warning", "notice", "debug", "group", "endgroup", "echo", "add-mask"),
        *("set-output", "set-env", "add-path", "save-state", "add-matcher", "remove-matcher"),
        "stop-commands",
    }
)


class Command(NamedTuple):
    """A command that a runner takes out of a line."""

    name: str
    properties: dict[str, str]
    data: str


def github(line: str) -> Command | None:
    """actions/runner, src/Runner.Common/ActionCommand.cs: `::name key=value,key=value::data` at the
    beginning of a line, or, as once, `##[name key=value;]data` anywhere in it.
    """
    trimmed = line.lstrip()
    if trimmed.startswith("::") and (end := trimmed.find("::", 2)) >= 0:
        name, _, listed = trimmed[2:end].partition(" ")
        if name.lower() in GITHUB_COMMANDS:
            properties = _properties(listed.strip(), ",", ("%0D", "%0A", "%3A", "%2C", "%25"))
            return Command(name, properties, _decoded(trimmed[end + 2 :], ("%0D", "%0A", "%25")))
    return _bracketed(line, "##[")


def azure(line: str) -> Command | None:
    """microsoft/azure-pipelines-agent, Command.cs: `##vso[area.event key=value;]data` anywhere in a
    line; also `##[...]`, which colours and folds the log.
    """
    begin = line.lower().find("##vso[")
    end = line.find("]", begin)
    if begin < 0 or end < 0:
        return _bracketed(line, "##[")
    name, _, listed = line[begin + len("##vso[") : end].partition(" ")
    if len([part for part in name.split(".") if part]) != 2:
        return None
    tokens = ("%3B", "%0D", "%0A", "%5D", "%AZP25")
    return Command(name, _properties(listed, ";", tokens), _decoded(line[end + 1 :], tokens))


def _bracketed(line: str, prefix: str) -> Command | None:
    begin = line.find(prefix)
    end = line.find("]", begin)
    if begin < 0 or end < 0:
        return None
    return Command(line[begin + len(prefix) : end], {}, line[end + 1 :])


def _properties(listed: str, separator: str, tokens: tuple[str, ...]) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in listed.split(separator) if part)
    return {pair[0]: _decoded(pair[1], tokens) for pair in pairs if len(pair) == 2}


def _decoded(text: str, tokens: tuple[str, ...]) -> str:
    for token in tokens:
        text = text.replace(token, chr(int(token[-2:], 16)))
    return text


def revealed(text: str) -> str:
    r"""The text that was shown with `\u{HEX}` for what is invisible."""
    return re.sub(r"\\u\{([0-9A-F]+)\}", lambda match: chr(int(match[1], 16)), text)
