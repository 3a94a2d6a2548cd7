"""`reconciler schema`: the JSON Schemas of documents, and of the files that the tool writes."""

from __future__ import annotations

import click

from reconciler.cli import printing
from reconciler.documents import schemas
from reconciler.model.documents import Kind

FILES = {
    "plan": "plan.schema.json",
    "capture": "capture.schema.json",
    "events": "events.schema.json",
    "output": "output.schema.json",
}


@click.command("schema", short_help="Print a JSON Schema.")
@click.argument("kind", required=False)
def command(*, kind: str | None) -> int:
    """Print a JSON Schema.

    KIND is a kind of document (Tenant, Application, TeamsApplicationAccessPolicy,
    ExchangeApplicationAccessPolicy, AccessTest), or `plan`, `capture`, `output` or `events`
    for those files; case is ignored. Without KIND, the combined schema is printed, which selects by `kind`.
    """
    printing.raw(_text(kind))
    return 0


def _text(kind: str | None) -> str:
    if kind is None:
        return schemas.schema_text(None)
    if kind.lower() in FILES:
        return (schemas.folder() / FILES[kind.lower()]).read_text(encoding="utf-8")
    kinds = {choice.lower(): choice for choice in Kind}
    if kind.lower() not in kinds:
        choices = ", ".join((*Kind, *FILES))
        raise click.BadParameter(
            f"unknown kind {kind!r}; choose one of {choices}", param_hint="KIND"
        )
    return schemas.schema_text(kinds[kind.lower()])
