"""Rules about names and client ids, within and across documents."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.shape_messages import nearest, shown
from reconciler.model.addresses import EVERY_APPLICATION, name_key
from reconciler.model.documents import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.documents.drafts import Draft
    from reconciler.documents.rules import Rule
    from reconciler.documents.trees import Steps
    from reconciler.model.findings import Finding, Position

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

_NAME: Steps = ("metadata", "name")
_APP_ID: Steps = ("spec", "appId")
_APPLICATIONS = ("spec", "applications")
_TAG = "tag:"
_TEMPLATE = "default"


class Claim(Struct, frozen=True):
    """A place that says something which may be said only once."""

    draft: Draft
    steps: Steps

    @property
    def position(self) -> Position:
        """Where it stands."""
        return self.draft.position(self.steps)


def clashes(
    claims: Iterable[tuple[object, Claim]], rule: Rule, message: Callable[[Claim, Claim], str]
) -> Iterator[Finding]:
    """Report what is claimed more than once.

    Within one document the later places are reported, each naming the first. Where documents
    contradict each other every place is reported, so that each document is known to be in doubt;
    the first names the second, the others name the first.

    Args:
        claims: keys that compare equal when two claims contradict each other.
        rule: the rule that is broken.
        message: says what is wrong at the first argument, given the place to look at beside it.
    """
    by_key: dict[object, list[Claim]] = {}
    for key, claim in claims:
        by_key.setdefault(key, []).append(claim)
    for rivals in by_key.values():
        if len(rivals) > 1:
            yield from _contradictions(rivals, rule, message)


def _contradictions(
    rivals: list[Claim], rule: Rule, message: Callable[[Claim, Claim], str]
) -> Iterator[Finding]:
    first, *others = sorted(rivals, key=lambda claim: claim.position)
    if any(claim.draft is not first.draft for claim in others):
        yield first.draft.finding(rule, first.steps, message(first, others[0]))
    for claim in others:
        yield claim.draft.finding(rule, claim.steps, message(claim, first))


class Applications(Struct, frozen=True):
    """Declared names: key of each name to its lower-case client id, None where documents do not say
    exactly one.
    """

    ids: Mapping[str, str | None]
    names: tuple[str, ...]

    def resolve(self, text: str) -> str | None:
        """The lower-case client id of a reference; None if it has none."""
        return text.lower() if GUID.fullmatch(text) else self.ids.get(name_key(text))

    def doubtful(self, text: str) -> bool:
        """Whether a text is a declared name that leads to no client id, because its document has a
        fault.
        """
        return name_key(text) in self.ids and self.resolve(text) is None


def applications(drafts: Sequence[Draft]) -> Applications:
    """Collect the names that Application documents declare."""
    ids: dict[str, str | None] = {}
    for draft in drafts:
        if draft.kind is Kind.APPLICATION and draft.name is not None:
            key = name_key(draft.name)
            proper = _names_client(draft) and key not in ids
            ids[key] = str(draft.at(*_APP_ID)).lower() if proper else None
    return Applications(
        ids,
        tuple(
            sorted(draft.name for draft in drafts if draft.kind is Kind.APPLICATION and draft.name)
        ),
    )


def name_findings(drafts: Sequence[Draft]) -> Iterator[Finding]:
    """Judge every document's own name, and names used twice."""
    for draft in drafts:
        if draft.name:
            yield from _own_name(draft, draft.name)
    claims = (
        (_name_claim(draft), Claim(draft, _NAME))
        for draft in drafts
        if draft.kind and draft.name and draft.kind is not Kind.TENANT
    )
    yield from clashes(claims, rules.DUPLICATE_NAME, _same_name)
    ids = (
        (str(draft.at(*_APP_ID)).lower(), Claim(draft, _APP_ID))
        for draft in drafts
        if _names_client(draft)
    )
    yield from clashes(ids, rules.TWO_NAMES, _same_client)


def reference_findings(drafts: Sequence[Draft], known: Applications) -> Iterator[Finding]:
    """Judge the applications that policies and tests name: known ones only, in the list of a policy
    each once.
    """
    for draft in drafts:
        if draft.kind is Kind.ACCESS_TEST:
            named = ((steps, str(draft.at(*steps))) for steps in expectations(draft, "application"))
            yield from (
                _unknown(draft, steps, text, known)
                for steps, text in named
                if not _may_stand(draft, text, known)
            )
        if draft.kind in {Kind.TEAMS_POLICY, Kind.EXCHANGE_POLICY}:
            references = [
                (steps, text) for steps, text in draft.texts(*_APPLICATIONS) if text.strip(" ")
            ]
            yield from (
                _unknown(draft, steps, text, known)
                for steps, text in references
                if not _may_stand(draft, text, known)
            )
            claims = (
                (known.resolve(text) or name_key(text), Claim(draft, steps))
                for steps, text in references
            )
            yield from clashes(claims, rules.DUPLICATE_APPLICATION, _same_application)


def expectations(draft: Draft, key: str) -> Iterator[Steps]:
    """The ways to a key's value in each expectation of a test, where it is a text that says
    something.
    """
    found = draft.at("spec", "expect")
    for index in range(len(found) if isinstance(found, list) else 0):
        text = draft.at("spec", "expect", index, key)
        if isinstance(text, str) and text.strip(" "):
            yield "spec", "expect", index, key


def _name_claim(draft: Draft) -> tuple[Kind | None, str]:
    return draft.kind, name_key(draft.name or "")


def _names_client(draft: Draft) -> bool:
    written = draft.at(*_APP_ID)
    return (
        draft.kind is Kind.APPLICATION
        and isinstance(written, str)
        and GUID.fullmatch(written) is not None
    )


def _own_name(draft: Draft, name: str) -> Iterator[Finding]:
    if unicodedata.normalize("NFC", name) != name:
        yield draft.finding(
            rules.NOT_NFC,
            _NAME,
            f"{shown(name)} is written with separate accents: type it anew, in Unicode form NFC",
        )
    if draft.kind is Kind.APPLICATION and GUID.fullmatch(name.strip(" {}")):
        yield draft.finding(
            rules.LIKE_GUID,
            _NAME,
            f"{shown(name)} looks like a client id: give the application a name that people read",
        )
    if draft.kind is Kind.TEAMS_POLICY and name_key(name) == _TEMPLATE:
        yield draft.finding(
            rules.RESERVED_NAME,
            _NAME,
            f"{shown(name)} is a template of the service: use another name",
        )
    if draft.kind is Kind.TEAMS_POLICY and name_key(name).startswith(_TAG):
        yield draft.finding(
            rules.RESERVED_NAME,
            _NAME,
            f"{shown(name)} begins with the service's own prefix: leave `Tag:` away",
        )


def _may_stand(draft: Draft, text: str, known: Applications) -> bool:
    every = text == EVERY_APPLICATION and draft.kind is Kind.EXCHANGE_POLICY
    return every or known.resolve(text) is not None


def _unknown(draft: Draft, steps: Steps, text: str, known: Applications) -> Finding:
    if text == EVERY_APPLICATION and draft.kind is Kind.ACCESS_TEST:
        message = "an expectation is about one application: name it"
    elif text == EVERY_APPLICATION:
        message = "Teams has no policy for every application: list the applications"
    elif known.doubtful(text):
        message = (
            f"the Application {shown(text)} has a fault, so its client id is not known: correct"
            " that document"
        )
    else:
        message = (
            f"{shown(text)} is no client id and no Application's name{nearest(text, known.names)}:"
            " declare it, or write the client id"
        )
    return draft.finding(rules.UNKNOWN_APPLICATION, steps, message)


def _same_name(claim: Claim, other: Claim) -> str:
    return (
        f"{shown(claim.draft.name)} is also the name at {other.position}: names are unique per"
        " kind, whatever the case"
    )


def _same_client(claim: Claim, other: Claim) -> str:
    return (
        f"{shown(claim.draft.at(*_APP_ID))} is also named {shown(other.draft.name)} at"
        f" {other.position}: keep one name"
    )


def _same_application(claim: Claim, other: Claim) -> str:
    there = shown(other.draft.at(*other.steps))
    return (
        f"{shown(claim.draft.at(*claim.steps))} stands twice, first as {there} on line"
        f" {other.position.line}: remove one"
    )
