"""Annotations as commands to the runner that logs them: GitHub Actions and Azure Pipelines.

Both read commands from whatever a job prints, so every text of others goes through `terminal.line`
first, which leaves neither line ends nor the beginning of a command in it, and then through the
escapes of the format: no text leaves its place, and none that is printed beside commands is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.annotated import Level
from reconciler.reports.findings import MOST
from reconciler.reports.lines import SIMULATED, counted
from reconciler.reports.terminal import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.reports.annotated import Annotated, Annotation

MOST_OF_A_LEVEL = 10
"""GitHub keeps ten annotations of each level a step ("Annotation limitations" of the documentation
of actions/toolkit), and drops the others silently.
"""
MOST_LETTERS = 1000
"""Of one line of a message; actions/runner cuts a whole one after 4096 letters."""

_AZURE_TYPES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTICE: "warning"}
"""`task.logissue` knows no more than two."""

# actions/runner, src/Runner.Common/ActionCommand.cs
_GITHUB_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_GITHUB_PROPERTY = {**_GITHUB_DATA, ":": "%3A", ",": "%2C"}
# microsoft/azure-pipelines-task-lib, node/taskcommand.ts
_AZURE_DATA = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
_AZURE_PROPERTY = {**_AZURE_DATA, "]": "%5D", ";": "%3B"}


def github_commands(value: Annotated) -> str:
    """Workflow commands of GitHub Actions: at most `MOST_OF_A_LEVEL` of each level, worst first,
    then one line with how many there are.
    """
    left = dict.fromkeys(Level, MOST_OF_A_LEVEL)
    commands: list[str] = []
    for annotation in value.annotations:
        if left[annotation.level]:
            left[annotation.level] -= 1
            commands.append(_github(annotation))
    return _text(value, commands, len(value.annotations) - len(commands))


def azure_commands(value: Annotated) -> str:
    """Logging commands of Azure Pipelines, worst first, no more than `MOST`, then one line with how
    many there are.
    """
    shown = value.annotations[:MOST]
    return _text(value, map(_azure, shown), len(value.annotations) - len(shown))


def github_outputs(values: Mapping[str, str], token: str) -> str:
    """Outputs of a step, as the file has them that `GITHUB_OUTPUT` names: each between delimiters, so
    that no value ends early or sets another output (docs.github.com, "Workflow commands").

    Args:
        values: by name.
        token: a text that nobody could know before.

    Raises:
        ValueError: a value has the delimiter in it.
    """
    delimiter = f"reconciler_{token}"
    if any(delimiter in value for value in values.values()):
        raise ValueError("a value has the delimiter in it")
    return "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in values.items())


def azure_outputs(values: Mapping[str, str]) -> str:
    """Outputs of a step, as logging commands (learn.microsoft.com, "Logging commands")."""
    return "".join(
        f"##vso[task.setvariable variable={_escaped(name, _AZURE_PROPERTY)};isOutput=true]"
        f"{_escaped(value, _AZURE_DATA)}\n"
        for name, value in values.items()
    )


def azure_summary(path: str) -> str:
    """The command that shows a Markdown file with the run; the path is absolute."""
    return f"##vso[task.uploadsummary]{_escaped(path, _AZURE_DATA)}\n"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in text)


def _text(value: Annotated, commands: Iterable[str], left_out: int) -> str:
    advice = "correct these first" if value.bounded else "--format text lists all"
    more = f" {counted(left_out, 'more is', 'more are')} not annotated: {advice}."
    lines = [
        *([SIMULATED.printed()] if value.simulated else []),
        *commands,
        line(f"{value.summary}{more if left_out else ''}"),
    ]
    return "".join(f"{text}\n" for text in lines)


def _github(annotation: Annotation) -> str:
    place = annotation.place
    properties = {"title": f"{annotation.title or annotation.rule} ({annotation.rule})"}
    if place is not None:
        where = {"file": place.file, "line": str(place.line), "col": str(place.column)}
        properties = {**where, **properties}
    listed = ",".join(f"{key}={_inert(v, _GITHUB_PROPERTY)}" for key, v in properties.items())
    return f"::{annotation.level} {listed}::{_message(annotation, _GITHUB_DATA)}"


def _azure(annotation: Annotation) -> str:
    place = annotation.place
    properties = {"type": _AZURE_TYPES[annotation.level], "code": annotation.rule}
    if place is not None:
        properties |= {
            "sourcepath": place.file,
            "linenumber": str(place.line),
            "columnnumber": str(place.column),
        }
    listed = "".join(f"{key}={_inert(v, _AZURE_PROPERTY)};" for key, v in properties.items())
    return f"##vso[task.logissue {listed}]{_message(annotation, _AZURE_DATA)}"


def _message(annotation: Annotation, escapes: Mapping[str, str]) -> str:
    """The place again, because a log shows nothing but the message; then what is wrong, and what
    helps.
    """
    where = "" if annotation.place is None else f"{annotation.place}: "
    path = f"{annotation.path}: " if annotation.path else ""
    first = f"{where}{path}{annotation.message} [{annotation.rule}]"
    return escapes["\n"].join(_inert(text, escapes) for text in (first, *annotation.advice))


def _inert(text: str, escapes: Mapping[str, str]) -> str:
    """One line of text without a command in it, not too long, escaped."""
    shown = line(text)
    if len(shown) > MOST_LETTERS:
        shown = f"{shown[:MOST_LETTERS]} ({len(shown) - MOST_LETTERS} more letters)"
    return _escaped(shown, escapes)
