"""Who is reached, as values: single people, a group's members, the holders of a policy, everyone.

A tenant is never enumerated.

Teams: `group-members` and `everyone` mean those who hold no policy directly, neither before nor
after, because a direct grant outranks both. `policy-holders` hold the policy directly: after the
transition where access is gained, before it where access is lost.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.canonical import Json


_Word = TypeVar("_Word", bound=StrEnum)


class SubjectKind(StrEnum):
    """Kinds of subjects, from one to all."""

    USER = "user"
    MAILBOX = "mailbox"
    GROUP_MEMBERS = "group-members"
    POLICY_HOLDERS = "policy-holders"
    EVERYONE = "everyone"


class Certainty(StrEnum):
    """Certain: every subject of the row, whoever is in the groups.

    Possible: some of them, which depends on who is in them.
    """

    CERTAIN = "certain"
    POSSIBLE = "possible"


class Part(NamedTuple):
    """A named set of subjects.

    `id` is an object id, for policy holders the policy's name, for everyone empty.
    """

    kind: SubjectKind
    id: str


class Subject(NamedTuple):
    """A named set of subjects without others."""

    kind: SubjectKind
    id: str = ""
    excepted: tuple[Part, ...] = ()


class Row(NamedTuple):
    """An application (client id, or `*`: every application without a policy of its own) and
    subjects.
    """

    application: str
    subject: Subject
    certainty: Certainty


class TenantWide(Struct, frozen=True):
    """An application that comes to reach everyone, but for the excepted; `was` is whom it reached
    before.
    """

    row: Row
    was: tuple[Subject, ...]


class Delta(Struct, frozen=True):
    """What a transition changes about one product's access; each part sorted.

    `sizes` are for people: how many there are in a policy's holders or a group, in the rows
    `gained` or `lost`, as far as it is known. They are no part of what is approved, for they change
    daily without the plan doing anything else.
    """

    gained: tuple[Row, ...]
    lost: tuple[Row, ...]
    tenant_wide: tuple[TenantWide, ...]
    sizes: Mapping[str, int]

    def ids(self) -> Iterator[str]:
        """Every client id and object id that a row mentions."""
        for row in (*self.gained, *self.lost, *(one.row for one in self.tenant_wide)):
            yield from (
                row.application,
                row.subject.id,
                *(part.id for part in row.subject.excepted),
            )
        for one in self.tenant_wide:
            yield from (
                part
                for subject in one.was
                for part in (subject.id, *(each.id for each in subject.excepted))
            )


_KINDS = {kind.value: kind for kind in SubjectKind}
_CERTAINTIES = {certainty.value: certainty for certainty in Certainty}
"""Found in a mapping in a tenth of the time that the enumeration takes: a plan has thousands of
rows.
"""


def sizes(where: str, rows: Iterable[Row], size: Callable[[Part], int | None]) -> dict[str, int]:
    """How many there are in each group and policy that rows of `gained` or `lost` name, where it is
    known.
    """
    several = {SubjectKind.GROUP_MEMBERS, SubjectKind.POLICY_HOLDERS}
    parts = {Part(row.subject.kind, row.subject.id) for row in rows if row.subject.kind in several}
    return {
        f"{where} {part.kind.value} {part.id}": known
        for part in parts
        if (known := size(part)) is not None
    }


def merged(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows sorted, each once; what is certain is not possible as well."""
    ordered = sorted(set(rows))
    certain = {
        (row.application, row.subject) for row in ordered if row.certainty is Certainty.CERTAIN
    }
    return tuple(
        row
        for row in ordered
        if row.certainty is Certainty.CERTAIN or (row.application, row.subject) not in certain
    )


def row_json(row: Row, provider: str) -> dict[str, Json]:
    """A row as a plan file has it."""
    return {
        "application": row.application,
        "certainty": str(row.certainty),
        "provider": provider,
        "subject": subject_json(row.subject),
    }


def subject_json(subject: Subject) -> dict[str, Json]:
    """A subject as a plan file has it: `id` and `except` only where there is something to say."""
    written: dict[str, Json] = {"kind": str(subject.kind)}
    if subject.id:
        written["id"] = subject.id
    if subject.excepted:
        written["except"] = [{"id": part.id, "kind": str(part.kind)} for part in subject.excepted]
    return written


def row_of(written: Mapping[str, Any]) -> Row:
    """A row of a plan file.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    return Row(
        _text(written["application"]),
        subject_of(written["subject"]),
        _known(_CERTAINTIES, written["certainty"]),
    )


def subject_of(written: Mapping[str, Any]) -> Subject:
    """A subject of a plan file.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    excepted = tuple(
        Part(_known(_KINDS, part["kind"]), _text(part["id"])) for part in written.get("except", ())
    )
    return Subject(_known(_KINDS, written["kind"]), _text(written.get("id", "")), excepted)


def _known(words: Mapping[str, _Word], word: object) -> _Word:
    found = words.get(word) if isinstance(word, str) else None
    if found is None:
        raise ValueError(f"{word!r} is none of {', '.join(words)}")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
