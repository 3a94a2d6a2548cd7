"""What a run found, in the format that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never, get_args

from reconciler.access.rules import EVERY_RULE
from reconciler.cli import printing
from reconciler.reports import junit, pipelines, sarif

if TYPE_CHECKING:
    from reconciler.reports.annotated import Annotated

AnnotationFormat: TypeAlias = Literal["github", "azure", "sarif", "junit"]
"""The formats of what is found, besides those that every report has."""
ANNOTATION_FORMATS: tuple[AnnotationFormat, ...] = get_args(AnnotationFormat)


def chosen_format(form: str | None) -> AnnotationFormat | None:
    """The format that was asked for, if it is one of annotations."""
    return next((choice for choice in ANNOTATION_FORMATS if choice == form), None)


def annotate(value: Annotated, form: AnnotationFormat) -> None:
    """Print what was found."""
    printing.raw(annotated_text(value, form))


def annotated_text(value: Annotated, form: AnnotationFormat) -> str:
    """What was found, as text for a machine."""
    match form:
        case "github":
            return pipelines.github_commands(value)
        case "azure":
            return pipelines.azure_commands(value)
        case "sarif":
            return sarif.sarif_log(value, EVERY_RULE)
        case "junit":
            return junit.annotations_junit(value)
    assert_never(form)
