"""A plan without the people in it: Person 1, Person 2 and so on by the order of their ids.

Whatever shows a redacted plan cannot tell who they are, because the plan does not: ids, principal
names, addresses and display names are gone, and so are the commands and the baseline. Applications,
groups and policies keep their names. What cannot be told apart is taken for a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.json import decode, encode
from msgspec.structs import replace

from reconciler.guids import GUID
from reconciler.model import figures
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    ExchangeApplicationAddress,
    ExchangePolicyAddress,
    TeamsApplicationAddress,
    TeamsGroupGrantAddress,
    TeamsUserGrantAddress,
    parse_address,
)
from reconciler.model.baselines import Baseline
from reconciler.model.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.canonical import Json
    from reconciler.model.access_rows import GapSubject, Subject
    from reconciler.model.findings import Finding, Position
    from reconciler.model.plans import Change, Note

LEFT_OUT: Final = "(redacted)"
_PEOPLE: Final = frozenset((SubjectKind.USER, SubjectKind.MAILBOX))
_MAIL = re.compile(
    r"[^\s<>\"',;:()\[\]{}/*@]+@[^\s<>\"',;:()\[\]{}/*@]+\.[^\s<>\"',;:()\[\]{}/*@]+"
)
_TOKEN = re.compile(f"{GUID.pattern.replace('a-f', 'a-fA-F')}|{_MAIL.pattern}")
_PERSON = re.compile(r"(?P<display>.+) <[^<>]+>")
_ADDRESS = re.compile(
    r"(?:teams\.grant/(?:user|group):|exchange\.policy/[^@]*@)(?P<subject>.+)", re.DOTALL
)
_NOTES: Final = ("displaced", "held", "refusals", "unmanaged", "unresolved", "warnings")
_APPLICATION_KEYS: Final = frozenset(("application", "applications"))
_GROUP_KEYS: Final = frozenset(("group", "groups", "together", "and"))


class Redaction:
    """Who the people of a plan are, and what they are called instead."""

    def __init__(self, plan: Plan) -> None:
        self._original = plan
        self._kept = frozenset(_kept(plan))
        people = sorted(set(_ids(plan, self._kept)))
        aliases = dict(_written(plan, frozenset(people)))
        others = sorted(set(_texts(plan)) - {*people, *aliases})
        self._instead = {
            person: f"person-{number}" for number, person in enumerate((*people, *others), 1)
        }
        self._tokens = {
            **self._instead,
            **{alias: self._instead[person] for alias, person in aliases.items()},
        }
        self._displays: dict[str, str] = {}
        for person in people:
            self._learn(person, plan.names.get(person, ""))
        self._odd_tokens = {
            json.dumps(text, ensure_ascii=False)[1:-1].lower(): instead
            for text, instead in self._tokens.items()
            if not _TOKEN.fullmatch(text)
        }
        # whole texts, and what an address ends in
        odd = "|".join(map(re.escape, sorted(self._odd_tokens, key=len, reverse=True)))
        self._odd = re.compile(f'(?<=["@:])(?:{odd})(?=")', re.IGNORECASE) if odd else None
        self._groups = frozenset(
            token.lower()
            for kept in self._kept
            for token in _MAIL.findall(plan.names.get(kept, ""))
        )

    def _learn(self, person: str, name: str) -> None:
        """The principal name of a person, and the display name, stand for the person too."""
        for address in _MAIL.findall(name):
            self._tokens.setdefault(address.lower(), self._instead[person])
        match = _PERSON.fullmatch(name)
        display = name if match is None else match["display"]
        if display and not _MAIL.fullmatch(display):
            self._displays[display] = self._instead[person]

    def plan(self) -> Plan:
        """The redacted plan. It is for readers: it holds nothing that could be applied."""
        bare = self._without_free_texts(_bare(self._original))
        text = encode(bare).decode()
        if self._odd is not None:
            text = self._odd.sub(self._of_odd, text)
        redacted = decode(_TOKEN.sub(self._token, text).encode(), type=Plan)
        return replace(redacted, names=self._names())

    def _without_free_texts(self, plan: Plan) -> Plan:
        """Display names are looked for where somebody may have written one; raw texts are left
        out.
        """
        called = sorted(self._called(plan), key=len, reverse=True)
        names = re.compile("|".join(map(re.escape, called)) or "(?!)")

        def scrubbed(value: Json) -> Any:
            if isinstance(value, str):
                return names.sub(lambda match: self._displays[match[0]], value)
            if isinstance(value, Mapping):
                return {name: scrubbed(item) for name, item in value.items()}
            return [scrubbed(item) for item in value] if isinstance(value, Sequence) else value

        def noted(notes: Iterable[Note]) -> tuple[Note, ...]:
            return tuple(replace(note, details=scrubbed(self._quoted(note))) for note in notes)

        return replace(
            plan,
            changes=tuple(
                change
                if figures.is_grant(change)
                else replace(
                    change,
                    before=scrubbed(change.before),
                    after=scrubbed(change.after),
                    attributes=tuple(
                        replace(row, before=scrubbed(row.before), after=scrubbed(row.after))
                        for row in change.attributes
                    ),
                )
                for change in plan.changes
            ),
            tests=tuple(replace(row, name=scrubbed(row.name)) for row in plan.tests),
            **{name: noted(getattr(plan, name)) for name in _NOTES},
        )

    def _called(self, plan: Plan) -> Iterable[str]:
        """The display names that occur in what people write."""
        policies = [change for change in plan.changes if not figures.is_grant(change)]
        notes = [getattr(plan, name) for name in _NOTES]
        free = decode(encode([policies, notes, [row.name for row in plan.tests]]))
        blob = "\n".join(_strings(free))
        return (display for display in self._displays if display in blob)

    def _quoted(self, note: Note) -> Mapping[str, Json]:
        """The details of a note; a text that was read is left out, unless it is what somebody is
        called.
        """
        text = note.details.get("text")
        if isinstance(text, str) and text.lower() not in self._tokens:
            return {**note.details, "text": LEFT_OUT}
        return note.details

    def _of_odd(self, match: re.Match[str]) -> str:
        return self._odd_tokens[match[0].lower()]

    def places(self, places: Mapping[str, Position]) -> dict[str, Position]:
        """Where the documents declare what changes, by redacted addresses."""
        return {self.text(address): place for address, place in places.items()}

    def finding(self, finding: Finding) -> Finding:
        """A fault of the documents without the people whom it quotes."""
        return replace(
            finding,
            message=self.text(finding.message),
            subject=self.text(finding.subject) if finding.subject else finding.subject,
        )

    def text(self, text: str) -> str:
        """Any text of ours or of a plan without ids, principal names and addresses of people."""
        if text.lower() in self._tokens:
            return self._tokens[text.lower()]
        address = _ADDRESS.search(text)
        if address is not None and address["subject"].lower() in self._tokens:
            start = address.start("subject")
            return text[:start] + self._tokens[address["subject"].lower()]
        return _TOKEN.sub(self._token, text) if "@" in text or "-" in text else text

    def _token(self, match: re.Match[str]) -> str:
        token = match[0]
        key = token.lower()
        if key in self._tokens:
            return self._tokens[key]
        return token if key in self._kept or key in self._groups else LEFT_OUT

    def _names(self) -> dict[str, str]:
        kept = {
            kept: self.text(name)
            for kept, name in self._original.names.items()
            if kept in self._kept
        }
        people = {
            person: f"Person {person.removeprefix('person-')}" for person in self._instead.values()
        }
        return {**kept, **people}


def _bare(plan: Plan) -> Plan:
    """A plan without what is only there to be run."""
    steps = tuple(replace(step, parameters={}, text="") for step in plan.steps)
    return replace(plan, steps=steps, baseline=Baseline(), names={})


def _ids(plan: Plan, kept: frozenset[str]) -> Iterator[str]:
    """The ids of people: all that are not known to be of something else."""
    mentioned = GUID.findall(encode(replace(_bare(plan), names=plan.names)).decode().lower())
    yield from set(mentioned) - kept
    yield from (row.id.lower() for row in _subjects(plan) if row.kind in _PEOPLE)


def _texts(plan: Plan) -> Iterator[str]:
    """What people are called who have no id: users that nobody found, and every address that is
    neither a group's nor of somebody who has an id.
    """
    for address in _addresses(plan):
        grant = parse_address(address)
        if isinstance(grant, TeamsUserGrantAddress):
            yield grant.user.lower()
    for note in plan.unresolved:
        text = note.details.get("text")
        if isinstance(text, str):
            yield text.lower()
    yield from (row.subject.id.lower() for row in plan.tests)


def _written(plan: Plan, people: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What access tests call people who have an id, and the id."""
    for row in plan.tests:
        if row.subject.id.lower() in people:
            yield row.subject.written.lower(), row.subject.id.lower()


def _addresses(plan: Plan) -> Iterator[str]:
    for rows in (
        *(plan.changes, plan.steps, plan.displaced, plan.held, plan.refusals),
        *(plan.unmanaged, plan.unresolved, plan.warnings),
    ):
        yield from (row.address for row in rows)


def _kept(plan: Plan) -> Iterator[str]:
    """Ids of the tenant, of applications, of groups, and of scopes that are not people."""
    people = {row.id.lower() for row in _subjects(plan) if row.kind in _PEOPLE}
    people |= {name_id for name_id, name in plan.names.items() if _PERSON.fullmatch(name)}
    for kept in _named(plan):
        if kept.lower() not in people:
            yield kept.lower()


def _named(plan: Plan) -> Iterator[str]:
    yield from (plan.tenant.tenant_id, EVERY_APPLICATION)
    for address in (*_addresses(plan), *(text.partition(":")[2] for text in plan.consents)):
        yield from _named_by(address)
    yield from (row.id for row in _subjects(plan) if row.kind is SubjectKind.GROUP_MEMBERS)
    yield from (gap.application for gap in plan.gaps or ())
    yield from (row.application for row in plan.tests)
    yield from (group for gap in plan.gaps or () for group in gap.subject.together)
    if plan.access is not None:
        rows = (*plan.access.gained, *plan.access.lost, *plan.access.tenant_wide)
        yield from (row.application for row in rows)
        for empty in plan.access.unpopulated:
            yield from (empty.application, empty.group)
    for change in plan.changes:
        if not figures.is_grant(change):
            yield from _named_in(change)
    for notes in (plan.displaced, plan.held, plan.refusals, plan.unmanaged, plan.warnings):
        for note in notes:
            yield from _listed(note.details, _APPLICATION_KEYS | _GROUP_KEYS)


def _named_by(address: str) -> Iterator[str]:
    match parse_address(address):
        case TeamsApplicationAddress(application) | ExchangeApplicationAddress(application):
            yield application
        case ExchangePolicyAddress(application, scope):
            yield from (application, scope)
        case TeamsGroupGrantAddress(group):
            yield group
        case _:
            return


def _named_in(change: Change) -> Iterator[str]:
    for side in (change.before, change.after):
        yield from _listed(side or {}, _APPLICATION_KEYS)
    for attribute in change.attributes:
        if attribute.name in _APPLICATION_KEYS:
            yield from (*attribute.added, *attribute.removed)


def _listed(values: Mapping[str, Json], keys: frozenset[str]) -> Iterator[str]:
    for key in keys & values.keys():
        yield from _strings(values[key])


def _subjects(plan: Plan) -> Iterator[Any]:
    """Subjects of all rows, and those whom they leave out."""
    subjects: list[Subject | GapSubject] = [row.subject for row in plan.gaps or ()]
    if plan.access is not None:
        subjects += [row.subject for row in (*plan.access.gained, *plan.access.lost)]
        for row in plan.access.tenant_wide:
            subjects += [row.subject, *row.was]
    for subject in subjects:
        yield subject
        yield from subject.excepted


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _strings(item)
