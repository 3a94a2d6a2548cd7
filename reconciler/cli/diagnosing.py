"""What `diagnose` is asked, from what it answers, and the answer."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access.explaining import explain
from reconciler.applying import recent, state
from reconciler.applying.earlier import believed_journals
from reconciler.audiences.questions import Question
from reconciler.cli import answering, collecting, sources, surveying, typed_people
from reconciler.cli.answering import Basis
from reconciler.cli.tenant_journals import journal_origin, state_key
from reconciler.diagnosing.causes import RefusalCause, cause_of, last_delay
from reconciler.diagnosing.received import MOST_BYTES, ids_of, read_error
from reconciler.diagnosing.signs import GATE_PRODUCTS, SIGNS, Gate, sign_of
from reconciler.diagnosing.suggestions import Declared, suggested
from reconciler.documents.file_trees import DISK
from reconciler.documents.input_files import Text
from reconciler.documents.users import decoded_list
from reconciler.errors import UsageFault
from reconciler.files import open_regular
from reconciler.guids import GUID
from reconciler.kinds.facts import in_turn
from reconciler.kinds.products import PRODUCTS
from reconciler.model.access_rows import SubjectKind
from reconciler.reports.diagnoses import Diagnosed, diagnosis_answer, diagnosis_outline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from reconciler.applying.recent import JournalledWrite
    from reconciler.audiences.questions import Explanation
    from reconciler.cli.surveying import Survey
    from reconciler.diagnosing.received import Received
    from reconciler.diagnosing.signs import Sign
    from reconciler.diagnosing.suggestions import Suggestion
    from reconciler.model.addresses import Provider
    from reconciler.reports.outline import Outline

STANDARD_INPUT = "-"
_OPEN_ALREADY = frozenset({"dev", "proc"})
"""Folders of the system in which what the process has open has names."""
_DAY = 24 * 3600
_SUBJECTS = {
    name: product.subject_kind
    for name, product in PRODUCTS.items()
    if product.subject_kind is not None
}
"""Whom the policies of each product are about."""
_TEAMS_GATES = frozenset({Gate.TENANT_SETTING})
_PAIR = 2


class Typed(Struct, frozen=True):
    """What was typed.

    Attributes:
        file: The error's; `-` is standard input.
        application: `--app`, None if it was left out.
        user: `--user` likewise.
        tenant: `--tenant`.
        journals: `--state-dir`.
    """

    file: str
    application: str | None
    user: str | None
    tenant: str | None
    journals: Path | None


def diagnose(paths: Sequence[Path], typed: Typed) -> tuple[RefusalCause, Outline]:
    """Say why an application was refused; the answer is collected for the envelope too.

    Raises:
        UsageFault: the error cannot be read, or does not name whom it is about and neither does the
            command line.
        ReconcilerError: any fault of the documents or the tenant.
    """
    received = read_error(_content(typed.file))
    sign = sign_of(received)
    application, user = _asked(received, sign, typed)
    if application is None or user is None:
        _assert_named(sign, application, user)
        cause = cause_of(sign, None, None, None)
        return _told(Diagnosed(received=received, sign=sign, cause=cause, kinds=len(SIGNS)))
    return _told(_diagnosed(paths, typed, received, sign, (application, user)))


def _told(diagnosed: Diagnosed) -> tuple[RefusalCause, Outline]:
    collecting.add_part("diagnosis", diagnosis_answer(diagnosed))
    return diagnosed.cause, diagnosis_outline(diagnosed)


def _content(file: str) -> bytes:
    """At most a little more than is read of an error."""
    if file == STANDARD_INPUT:
        stream = getattr(sys.stdin, "buffer", None)
        if stream is None:
            return sys.stdin.read(MOST_BYTES + 1).encode()
        return bytes(stream.read(MOST_BYTES + 1))
    try:
        with _opened(Path(file)) as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageFault(
            f"{file}: cannot be read: {error.strerror}; name the file with the error, or `-` for"
            " standard input"
        ) from error


def _opened(path: Path) -> BinaryIO:
    """Open the file of an error. A shell's `<(command)` is a pipe that is open already; another one
    might be waited for for ever.
    """
    if path.is_absolute() and not _OPEN_ALREADY.isdisjoint(path.parts[1:2]):
        return path.open("rb")
    return open_regular(path)


def _asked(received: Received, sign: Sign | None, typed: Typed) -> tuple[str | None, str | None]:
    """Whom the diagnosis is about: as typed, else as the error says."""
    named = _named(received, sign)
    return typed.application or named[0], typed.user or named[1] or received.user


def _named(received: Received, sign: Sign | None) -> tuple[str | None, str | None]:
    """The client id and the object id that the error itself names."""
    ids = ids_of(received.text)
    if sign is not None and sign.names_pair and len(ids) >= _PAIR:
        return ids[0], ids[1]
    return None, None


def _assert_named(sign: Sign | None, application: str | None, user: str | None) -> None:
    """See to it that a question about policies says of whom.

    Raises:
        UsageFault: it does not.
    """
    if sign is None or sign.gate not in GATE_PRODUCTS:
        return
    missing = [
        option
        for option, value in (("--app APP", application), ("--user USER", user))
        if value is None
    ]
    if missing:
        raise UsageFault(
            f"{' and '.join(missing)} required: access policies decide this error, and it does not"
            " say whom it is about"
        )


def _diagnosed(
    paths: Sequence[Path],
    typed: Typed,
    received: Received,
    sign: Sign | None,
    asked: tuple[str, str],
) -> Diagnosed:
    seen = surveying.survey(paths, typed.tenant, users=(asked[1],))
    application = surveying.application_of(asked[0], seen.documents)
    questions = _questions(application, asked[1], sign, seen)
    first, question = next(iter(questions.items()))
    now = {product: explain(each, seen.now) for product, each in questions.items()}
    after = None if seen.after is None else explain(question, seen.after)
    at = time.time()
    verdict = now[first].verdict
    delay = last_delay(question, first, verdict, _writes(paths, typed, seen, at), at)
    others = _others(received, sign, question, seen)
    later = None if after is None else after.verdict
    cause = cause_of(sign, verdict, later, delay, other=any(others))
    basis = _basis(seen)
    diagnosed = Diagnosed(
        received=received,
        sign=sign,
        cause=cause,
        explained=tuple(answering.explained(each, basis) for each in now.values()),
        delay=delay,
        asked_at=at,
        suggestions=_suggestions(after, seen) if cause is RefusalCause.DENIED else (),
        has_documents=seen.after is not None,
        other_application=others[0],
        other_user=others[1],
        simulated=seen.simulated,
        kinds=len(SIGNS),
    )
    return replace(diagnosed, names=seen.names(_mentioned(diagnosed)))


def _others(
    received: Received, sign: Sign | None, question: Question, seen: Survey
) -> tuple[str | None, str | None]:
    """The client id and the user that the error names, where they are not those of the question."""
    application, user = _named(received, sign)
    user = user or received.user
    user_id = None if user is None else seen.observed.directory.users_by_upn.get(user, user)
    return (
        None if application == question.application else application,
        None if user_id == question.subject else user_id,
    )


def _questions(
    application: str, user: str, sign: Sign | None, seen: Survey
) -> dict[Provider, Question]:
    """The questions of the products that the error may be about, in the order of their gates."""
    meant = typed_people.subjects_of(user, seen.observed.directory)
    gate = None if sign is None else sign.gate
    product = None if gate is None else GATE_PRODUCTS.get(gate)
    if product is not None:
        kind = _SUBJECTS[product]
        subject = next((each for each in meant if each.kind is kind), meant[0])
        return {product: Question(application, kind, subject.subject, resolved=subject.resolved)}
    kinds = [SubjectKind.USER] if gate in _TEAMS_GATES else list(_SUBJECTS.values())
    questions: dict[Provider, Question] = {}
    for name in reversed(in_turn()):
        for each in meant:
            if each.kind is _SUBJECTS.get(name) and each.kind in kinds:
                questions[name] = replace(each, application=application)
    return questions or {"teams": replace(meant[0], application=application, kind=SubjectKind.USER)}


def _writes(
    paths: Sequence[Path], typed: Typed, seen: Survey, at: float
) -> tuple[JournalledWrite, ...]:
    """What applies to this tenant changed within a day, as far as journals of this computer tell."""
    target = None if seen.documents is None else sources.target_of_documents(seen.documents)
    source = sources.choose(typed.tenant, target, paths)
    origin, tenant_id = journal_origin(source), seen.observed.tenant_id
    if origin == "live" and not GUID.fullmatch(tenant_id):
        return ()
    key = state_key(source, tenant_id)
    own, outside = state.existing(key, state.base(os.environ), typed.journals)
    journals = believed_journals(own, outside, origin, lambda _event: None)
    return recent.writes_since(journals, at - _DAY)


def _suggestions(after: Explanation | None, seen: Survey) -> tuple[Suggestion, ...]:
    if after is None or seen.documents is None or seen.after is None:
        return ()
    if after.question.application in seen.documents.quarantined:
        return ()  # no line lets it in while that one is there
    return suggested(after, Declared(seen.documents, seen.after, cache(_text_of)))


def _text_of(file: str) -> str:
    """The text of a file of documents or users; empty if it cannot be read any more."""
    try:
        decoded = decoded_list(DISK.read(Path(file)), file)
    except OSError:
        return ""
    return decoded.text if isinstance(decoded, Text) else ""


def _basis(seen: Survey) -> Basis:
    """The tenant as it is."""
    source = f"on the tenant as read {seen.observed.taken_at}"
    return Basis(seen.now, "now", source, seen.documents, seen.observed, {}, seen.simulated)


def _ids(explanation: Explanation) -> Iterator[str]:
    question = explanation.question
    yield question.application
    yield question.subject
    for address in explanation.addresses:
        yield from GUID.findall(address)


def _mentioned(diagnosed: Diagnosed) -> Iterator[str]:
    """The ids in a diagnosis."""
    yield from filter(None, (diagnosed.other_application, diagnosed.other_user))
    for each in diagnosed.explained:
        yield from _ids(each.explanation)
    for suggestion in diagnosed.suggestions:
        yield from GUID.findall(suggestion.address)
        yield from suggestion.loses
    if diagnosed.delay is not None:
        yield from GUID.findall(diagnosed.delay.write.address)


def exit_code_of(cause: RefusalCause) -> int:
    """1 where the error is unknown, so that a script can pass it on."""
    return int(cause is RefusalCause.UNKNOWN)
