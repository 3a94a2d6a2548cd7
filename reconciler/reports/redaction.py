"""A plan without the people in it: Person 1, Person 2 and so on by the order of their ids.

Whatever shows a redacted plan cannot tell who they are, because the plan does not: ids, principal
names, addresses and display names are gone, and so are the commands. Applications,
groups and policies keep their names. What cannot be told apart is taken for a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec import convert, to_builtins
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
from reconciler.model.baselines import Baseline, GuardScope, StoredExchangePolicy, TeamsBaseline
from reconciler.model.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.canonical import Json
    from reconciler.model.access_rows import GapSubject, Subject
    from reconciler.model.findings import Finding, Position
    from reconciler.model.plans import Change, Note
    from reconciler.model.since import Since

LEFT_OUT: Final = "(redacted)"
_PEOPLE: Final = frozenset((SubjectKind.USER, SubjectKind.MAILBOX))
_WORD = re.compile(r"""[^\s<>"',;:()\[\]{}/*\\]+""")
"""A run of characters that ids and principal names may have."""
_GUID = re.compile(GUID.pattern.replace("a-f", "a-fA-F"))
_QUOTES = tuple(re.compile(pattern) for pattern in ("`", '"', r"(?<!\w)'|'(?!\w)"))
_KEY = re.compile(r"\w*", re.ASCII)
_BEFORE_SUBJECT: Final = ("teams.grant/user:", "teams.grant/group:")
_NOTES: Final = ("displaced", "held", "refusals", "unmanaged", "unresolved", "warnings")
_APPLICATION_KEYS: Final = frozenset(("application", "applications"))
_GROUP_KEYS: Final = frozenset(("group", "groups", "together", "and"))


class Speech(Protocol):
    """What is said beside a plan, without the people in it."""

    def message(self, text: str) -> str:
        """A message of ours."""
        ...

    def finding(self, finding: Finding) -> Finding:
        """A fault of the documents."""
        ...


class Unplanned:
    """Redaction where there is no plan that tells people from others: every id, every address and
    every quoted text that may be a name is left out.
    """

    def message(self, text: str) -> str:
        """A message of ours without whatever may name somebody."""
        bare = text.replace("\\\\", "").replace('\\"', "").replace("\\'", "")
        for quote in _QUOTES:
            bare = "".join(_bare_quotations(quote, bare))
        return _GUID.sub(LEFT_OUT, _WORD.sub(_without_address, bare))

    def finding(self, finding: Finding) -> Finding:
        """A fault of the documents; its place stays."""
        return replace(
            finding,
            message=self.message(finding.message),
            subject=self.message(finding.subject),
        )


def _bare_quotations(quote: re.Pattern[str], text: str) -> Iterator[str]:
    """A text, and of what it quotes only words that a document may have as a key; a quote that does
    not end goes to the end.
    """
    marks = [*(match[0] for match in quote.finditer(text)), ""]
    for number, piece in enumerate(quote.split(text)):
        if number % 2 == 0:
            yield piece
        elif _KEY.fullmatch(piece):
            yield f"{marks[number - 1]}{piece}{marks[number]}"
        else:
            yield LEFT_OUT


def _without_address(match: re.Match[str]) -> str:
    """A word; an address, and whatever else has its sign, is left out, but for the end of a
    sentence.
    """
    word = match[0]
    return LEFT_OUT + word[len(word.rstrip(".")) :] if "@" in word else word


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
            if not (_GUID.fullmatch(text) or list(_mails(text)) == [text])
        }
        # whole texts, and what an address ends in
        odd = "|".join(map(re.escape, sorted(self._odd_tokens, key=len, reverse=True)))
        self._odd = re.compile(f'(?<=["@:])(?:{odd})(?=")', re.IGNORECASE) if odd else None
        self._groups = frozenset(
            token.lower() for kept in self._kept for token in _mails(plan.names.get(kept, ""))
        )

    def _learn(self, person: str, name: str) -> None:
        """The principal name of a person, and the display name, stand for the person too."""
        for address in _mails(name):
            self._tokens.setdefault(address.lower(), self._instead[person])
        display = _display(name) or name
        if display and list(_mails(display)) != [display]:
            self._displays[display] = self._instead[person]

    def plan(self) -> Plan:
        """The redacted plan. It is for readers: it holds nothing that could be applied."""
        bare = self._without_free_texts(_bare(self._original))
        text = encode(bare).decode()
        if self._odd is not None:
            text = self._odd.sub(self._of_odd, text)
        redacted = decode(_WORD.sub(self._of_word, text).encode(), type=Plan)
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
            message=self.message(finding.message),
            subject=self.text(finding.subject) if finding.subject else finding.subject,
        )

    def since(self, since: Since) -> Since:
        """A comparison with an earlier commit without the people whom it names."""

        def scrubbed(value: Any) -> Any:
            match value:
                case str():
                    return self.message(self.text(value))
                case dict():
                    return {key: scrubbed(member) for key, member in value.items()}
                case list() | tuple():
                    return [scrubbed(member) for member in value]
                case _:
                    return value

        bare = convert(scrubbed(to_builtins(since)), type(since))
        return replace(bare, ref=since.ref, commit=since.commit)

    def message(self, text: str) -> str:
        """A message of ours without ids, principal names, addresses and display names of people."""
        for display in sorted(self._displays, key=len, reverse=True):
            if display in text:
                text = text.replace(display, self._displays[display])
        return _WORD.sub(self._of_word, text)

    def text(self, text: str) -> str:
        """Any text of ours or of a plan without ids, principal names and addresses of people."""
        if text.lower() in self._tokens:
            return self._tokens[text.lower()]
        for start in _BEFORE_SUBJECT:
            before, opening, subject = text.partition(start)
            if opening and subject.lower() in self._tokens:
                return f"{before}{opening}{self._tokens[subject.lower()]}"
        before, at, subject = text.partition("@")
        if at and subject.lower() in self._tokens and "exchange.policy/" in before:
            return f"{before}@{self._tokens[subject.lower()]}"
        return _WORD.sub(self._of_word, text) if "@" in text or "-" in text else text

    def _of_word(self, match: re.Match[str]) -> str:
        return self._word(match[0]) if "@" in match[0] or "-" in match[0] else match[0]

    def _word(self, word: str) -> str:
        """A word with whatever names a person in it: an id, a principal name, an address, also
        behind the application in the address of an Exchange policy.
        """
        core = word.rstrip(".")
        if core.lower() in self._tokens:
            return self._tokens[core.lower()] + word[len(core) :]
        before, at, after = word.partition("@")
        if not at or core.lower() in self._kept:
            return _GUID.sub(self._of_guid, word)
        if not before or before.lower() in self._kept or _GUID.fullmatch(before):
            return f"{_GUID.sub(self._of_guid, before)}@{self._word(after)}"
        return word if core.lower() in self._groups or core.lower() in self._kept else LEFT_OUT

    def _of_guid(self, match: re.Match[str]) -> str:
        key = match[0].lower()
        return self._tokens.get(key) or (match[0] if key in self._kept else LEFT_OUT)

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


def _mails(text: str) -> Iterator[str]:
    """Principal names and addresses in a text."""
    yield from (word for word in _WORD.findall(text) if "@" in word.strip("@"))


def _display(name: str) -> str:
    """The display name of `Alex Wilber <alex.wilber@contoso.com>`; empty if it is not such a name."""
    display, opening, address = name.rpartition(" <")
    return display if opening and address.endswith(">") and "@" in address else ""


def _bare(plan: Plan) -> Plan:
    """A plan without what is only there to be run. The baseline says what decides before the plan;
    its identities and security ids do not help a reader.
    """
    steps = tuple(replace(step, parameters={}, text="") for step in plan.steps)
    exchange: Any = plan.baseline.exchange
    if isinstance(exchange, Mapping):
        exchange = {name: _stored(rows) for name, rows in exchange.items()}
    teams = plan.baseline.teams
    if isinstance(teams, TeamsBaseline):
        policies = {
            name: policy and replace(policy, description="")
            for name, policy in teams.policies.items()
        }
        teams = replace(teams, policies=policies)
    baseline = Baseline(exchange, teams, quarantined=plan.baseline.quarantined)
    return replace(plan, steps=steps, baseline=baseline, names={})


def _stored(
    rows: tuple[StoredExchangePolicy, ...] | GuardScope,
) -> tuple[StoredExchangePolicy, ...] | GuardScope:
    if isinstance(rows, GuardScope):
        return replace(rows, sid="")
    return tuple(
        replace(row, description="", identity="", sid="", stored_description="") for row in rows
    )


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
    people |= {name_id for name_id, name in plan.names.items() if _display(name)}
    for kept in _named(plan):
        if kept.lower() not in people:
            yield kept.lower()


def _named(plan: Plan) -> Iterator[str]:
    yield from (plan.tenant.tenant_id, EVERY_APPLICATION)
    for address in (*_addresses(plan), *(text.partition(":")[2] for text in plan.consents)):
        yield from _named_by(address)
    yield from _named_before(plan.baseline)
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


def _named_before(baseline: Baseline) -> Iterator[str]:
    for application, rows in (baseline.of_exchange() or {}).items():
        yield application
        scopes = (rows.id,) if isinstance(rows, GuardScope) else (row.scope for row in rows)
        yield from scopes
    teams = baseline.of_teams()
    if teams is not None:
        yield from (row.group for row in teams.groups)
        for policy in teams.policies.values():
            yield from () if policy is None else policy.applications


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
