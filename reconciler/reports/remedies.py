"""Options that a report prints to be typed: with the real addresses, in the words of a shell."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from reconciler.model.addresses import ExchangePolicyAddress, exchange_application, parse_address
from reconciler.model.codes import Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.plans import Note

OPTION_DETAILS = frozenset(("allow", "only", "skip"))
"""Details of a note that are typed, not read."""

_EXPANDED = frozenset('"$`\\!%')


def shell_word(value: str) -> str:
    """A value as it is typed in a shell: in double quotes if it needs any and if those do, because
    every shell knows them.
    """
    if quote(value) == value or _EXPANDED.intersection(value):
        return quote(value)
    return f'"{value}"'


def options(name: str, values: Iterable[str]) -> str:
    """An option once for each value, as a part of a command line."""
    return " ".join(f"--{name} {shell_word(value)}" for value in dict.fromkeys(values))


def held_with(address: str) -> str:
    """What `--skip` takes so that an object is left alone: an Exchange policy's application, because
    whom it reaches depends on all of its policies.
    """
    policy = parse_address(address)
    if isinstance(policy, ExchangePolicyAddress):
        return exchange_application(policy.application)
    return address


def selecting(rows: Iterable[Note]) -> Iterator[str]:
    """The options that refusals of a plan of a part ask for, beside those that were typed."""
    notes = list(rows)
    for name, purpose in (("only", "plan"), ("skip", "leave out")):
        if addresses := _listed(notes, name):
            yield f"To {purpose} what belongs to it as well, add: {options(name, addresses)}"


def leaving_for_later(rows: Iterable[Note]) -> Iterator[str]:
    """The options by which a plan leaves alone what a warning advises to do later."""
    if addresses := _listed(rows, "skip"):
        yield f"To leave these for a later plan: {options('skip', addresses)}"


def shutting_out(rows: Iterable[Note]) -> Iterator[str]:
    """What closes the doors that a plan leaves open to quarantined applications: the documents to
    add, or the quarantine as a plan of its own.
    """
    notes = [row for row in rows if "application" in row.details]
    for note in notes:
        if note.code == Held.OPEN_EVERY:
            yield f"The document to add: {_denial(note)}"
    alone = [
        f"application/{note.details['application']}"
        for note in notes
        if note.code == Held.OPEN_HELD
    ]
    if alone:
        yield f"The quarantine alone: {options('only', alone)}"


def _denial(note: Note) -> str:
    """A document on one line; ids and names of our own need no quotes."""
    application, scope = str(note.details["application"]), str(note.details.get("scope"))
    return (
        "{apiVersion: reconciler/v1, kind: ExchangeApplicationAccessPolicy, metadata: {name:"
        f" quarantine-{application[:8]}-{scope[:8]}}}, spec: {{applications: [{application}], scope:"
        f" {scope}, accessRight: DenyAccess}}}}"
    )


def _listed(rows: Iterable[Note], name: str) -> list[str]:
    values = (row.details.get(name) for row in rows)
    return [str(text) for value in values if isinstance(value, Sequence) for text in value]
