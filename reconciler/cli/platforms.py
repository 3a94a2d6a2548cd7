"""The pipeline that a job runs in, as its environment tells: what it wants to be told, and how."""

from __future__ import annotations

import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

from msgspec import Struct

from reconciler.cli import printing
from reconciler.errors import ReconcilerError
from reconciler.files import real_path
from reconciler.reports import pipelines

if TYPE_CHECKING:
    from collections.abc import Mapping

SUMMARY_BYTES: Final = 1_000_000
"""Of the summary of a step. GitHub takes 1 MiB (docs.github.com, "Adding a job summary")."""


class Platform(StrEnum):
    """What runs the job."""

    GITHUB = "github"
    AZURE = "azure"
    NONE = "none"


class JobOrigin(Struct, frozen=True):
    """Where a job comes from, as far as the platform tells; empty texts otherwise.

    Attributes:
        platform: What runs it.
        actor: Who started it.
        run: The page of the run.
        commit: What is checked out.
        ref: The branch or tag.
    """

    platform: Platform
    actor: str = ""
    run: str = ""
    commit: str = ""
    ref: str = ""


def origin(environment: Mapping[str, str]) -> JobOrigin:
    """Tell the platform by its own variables (docs.github.com, "Variables reference";
    learn.microsoft.com, "Predefined variables").
    """

    def value(name: str) -> str:
        return environment.get(name, "")

    if value("GITHUB_ACTIONS") == "true":
        run = f"{value('GITHUB_SERVER_URL')}/{value('GITHUB_REPOSITORY')}"
        return JobOrigin(
            Platform.GITHUB,
            value("GITHUB_TRIGGERING_ACTOR") or value("GITHUB_ACTOR"),
            f"{run}/actions/runs/{value('GITHUB_RUN_ID')}/attempts/{value('GITHUB_RUN_ATTEMPT')}",
            value("GITHUB_SHA"),
            value("GITHUB_REF"),
        )
    if value("TF_BUILD").lower() == "true":
        project = f"{value('SYSTEM_COLLECTIONURI')}{value('SYSTEM_TEAMPROJECT')}"
        return JobOrigin(
            Platform.AZURE,
            value("BUILD_REQUESTEDFOR"),
            f"{project}/_build/results?buildId={value('BUILD_BUILDID')}",
            value("BUILD_SOURCEVERSION"),
            value("BUILD_SOURCEBRANCH"),
        )
    return JobOrigin(Platform.NONE)


def show_summary(platform: Platform, file: Path) -> None:
    """Show a Markdown file on the page of the run.

    Raises:
        ReconcilerError: the platform's file cannot be written.
    """
    match platform:
        case Platform.GITHUB:
            _append("GITHUB_STEP_SUMMARY", file.read_bytes())
        case Platform.AZURE:
            printing.raw(pipelines.azure_summary(str(real_path(file))))
        case Platform.NONE:
            pass
        case _:
            assert_never(platform)


def set_outputs(platform: Platform, values: Mapping[str, str]) -> None:
    """Set the outputs of the step.

    Raises:
        ReconcilerError: the platform's file cannot be written.
    """
    match platform:
        case Platform.GITHUB:
            text = pipelines.github_outputs(values, secrets.token_hex(16))
            _append("GITHUB_OUTPUT", text.encode())
        case Platform.AZURE:
            printing.raw(pipelines.azure_outputs(values))
        case Platform.NONE:
            pass
        case _:
            assert_never(platform)


def _append(variable: str, content: bytes) -> None:
    """Add to a file that the platform names; nothing if it names none."""
    name = os.environ.get(variable)
    if not name:
        return
    try:
        with Path(name).open("ab") as file:
            file.write(content)
    except OSError as fault:
        raise ReconcilerError(
            f"{variable} {name}: cannot be written: {fault.strerror}; the job does not get what"
            " this step found"
        ) from fault
