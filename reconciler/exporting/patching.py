"""The edit of documents that says what a tenant has: lines that differ and no others, so that
comments and order stay; what cannot be edited line by line is written as `export` writes it.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents.parsing import parse_yaml
from reconciler.exporting.composing import SCHEMA, exported
from reconciler.exporting.diffs import FileChange
from reconciler.exporting.document_edits import EditedDocument, NotEditedError
from reconciler.exporting.editing import LineEdit, text_lines
from reconciler.exporting.patching_exchange import REWRITTEN, exchange_edits
from reconciler.exporting.patching_teams import NO_EDITS, TeamsEditing, teams_edits
from reconciler.exporting.values import Choice, Written
from reconciler.model.addresses import GLOBAL, TeamsPolicyAddress, name_key, parse_address
from reconciler.model.codes import ChangeReason
from reconciler.model.documents import Kind
from reconciler.model.observed import ExchangeState, TeamsState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reconciler.exporting.patching_exchange import ExchangeEdits
    from reconciler.exporting.patching_teams import TeamsEdits
    from reconciler.model.documents import Documents, ExchangePolicyDocument, TeamsPolicyDocument
    from reconciler.model.findings import Position
    from reconciler.model.observed import ExchangeKey, Observed
    from reconciler.model.plans import Plan

_FOR_EDITORS = "# yaml-language-server:"
_BOM = "\ufeff"
_NOBODY = TeamsState({}, (), {}, {})
_NOTHING = ExchangeState({})


class Sources(Struct, frozen=True, dict=True):
    """The files of documents.

    Attributes:
        texts: Texts of the files of documents and of lists, by name as positions spell it; a file
            that is not UTF-8 is left out.
        folder: Where new files go.
        files: Paths of all files in that folder, relative and in lower case.
    """

    texts: Mapping[str, str]
    folder: str
    files: frozenset[str]

    @cached_property
    def documents(self) -> Mapping[str, Sequence[EditedDocument]]:
        """The documents of each file, as they are written."""
        return {
            file: [
                EditedDocument(tree, lines)
                for lines in (text_lines(text),)
                for tree in parse_yaml(text.removeprefix(_BOM), file).trees
            ]
            for file, text in self.texts.items()
            if file.endswith((".yaml", ".yml"))
        }

    def document(self, position: Position) -> EditedDocument | None:
        """The document at a place."""
        return next(
            (
                each
                for each in self.documents.get(position.file, ())
                if each.tree.first_line <= position.line <= each.tree.last_line
            ),
            None,
        )


class Manner(Struct, frozen=True):
    """How documents are edited, by where they begin: `coarse` ones get a new `spec`, and those of
    `left` are left as they are.
    """

    coarse: frozenset[Position] = frozenset()
    left: frozenset[Position] = frozenset()


def accepting_changes(
    documents: Documents, sources: Sources, observed: Observed, plan: Plan, manner: Manner
) -> list[FileChange]:
    """What of the files has to change so that a plan has no changes.

    Args:
        documents: the documents, which have no fault.
        sources: their files.
        observed: the tenant.
        plan: the plan of the documents for it.
        manner: how documents are edited.
    """
    return _Patching(documents, sources, observed, plan, manner).changes()


class _Patching:
    """Collects edits by file; made once, used once."""

    def __init__(
        self,
        documents: Documents,
        sources: Sources,
        observed: Observed,
        plan: Plan,
        manner: Manner,
    ) -> None:
        self._documents = documents
        self._sources = sources
        self._observed = observed
        self._plan = plan
        self._manner = manner
        self._edits: dict[str, list[LineEdit]] = defaultdict(list)
        self._removed: dict[str, int] = defaultdict(int)
        self._new: dict[str, str] = {}

    def changes(self) -> list[FileChange]:
        """All changes of files."""
        missing = self._teams()
        kept = self._exchange()
        self._add(missing, kept)
        return [
            *(self._change(file, edits) for file, edits in sorted(self._edits.items()) if edits),
            *(
                FileChange(path, None, (LineEdit(1, 1, _lines(text)),))
                for path, text in sorted(self._new.items())
            ),
        ]

    def _change(self, file: str, edits: Sequence[LineEdit]) -> FileChange:
        gone = self._removed[file] == len(self._sources.documents.get(file, ())) > 0
        text = self._sources.texts[file]
        if gone:
            whole = LineEdit(1, len(text_lines(text).lines) + 1)
            return FileChange(file, text, (whole,), gone=True)
        return FileChange(file, text, tuple(edits))

    def _document(self, position: Position) -> EditedDocument | None:
        """The document that begins at a place, unless it is left as it is."""
        return None if position in self._manner.left else self._sources.document(position)

    def _remove(self, file: str, document: EditedDocument) -> None:
        self._edits[file].append(document.removed())
        self._removed[file] += 1

    def _teams(self) -> set[str]:
        """Edit Teams documents; the keys of policies that need a document of their own."""
        state = self._observed.state(TeamsState)
        if state is None:
            return set()
        editing = TeamsEditing(
            self._documents, state, self._observed.directory, self._sources.texts
        )
        missing = {*_pruned(self._plan)}
        for policy in self._documents.teams:
            document = self._document(policy.position)
            if document is None:
                continue
            if name_key(policy.name) not in state.policies:
                if not policy.absent:
                    self._remove(policy.position.file, document)
                continue
            edits = self._teams_edits(policy, document, editing)
            for file, lines in edits.lines.items():
                self._edits[file] += lines
            self._new |= edits.new
            if edits.needs_global:
                missing.add(GLOBAL)
        return missing - {name_key(each.name) for each in self._documents.teams}

    def _teams_edits(
        self, policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing
    ) -> TeamsEdits:
        """Line by line, else another `spec`, else none: what each needs of how it is written."""
        coarse = policy.absent or policy.position in self._manner.coarse
        for manner in dict.fromkeys((coarse, True)):
            with suppress(NotEditedError, ValueError):
                return teams_edits(policy, document, editing, coarse=manner)
        return NO_EDITS

    def _exchange(self) -> frozenset[ExchangeKey]:
        """Edit Exchange documents; the policies that they declare then as the tenant has them."""
        state = self._observed.state(ExchangeState)
        kept: set[ExchangeKey] = set()
        if state is None:
            return frozenset()
        for policy in self._documents.exchange:
            document = self._document(policy.position)
            if document is None:
                continue
            edits = self._exchange_edits(policy, document, state)
            if edits.removed:
                self._remove(policy.position.file, document)
            else:
                self._edits[policy.position.file] += edits.lines
            kept |= edits.kept
        return frozenset(kept)

    def _exchange_edits(
        self, policy: ExchangePolicyDocument, document: EditedDocument, state: ExchangeState
    ) -> ExchangeEdits:
        if policy.position in self._manner.coarse:
            return REWRITTEN
        directory = self._observed.directory
        try:
            return exchange_edits(policy, document, state, directory, self._documents)
        except (NotEditedError, ValueError):
            return REWRITTEN

    def _add(self, missing: Collection[str], kept: frozenset[ExchangeKey]) -> None:
        """Write documents for what has none, or none any more."""
        state = self._observed.state(ExchangeState) or _NOTHING
        owned = {
            application
            for policy in self._documents.exchange
            if policy.position not in self._manner.left and not policy.absent
            for application in policy.applications
        }
        owners = {
            application
            for application, scope in state.policies
            if application in owned and (application, scope) not in kept
        }
        if not (missing or owners):
            return
        export = exported(
            self._observed,
            written=self._written(missing, kept),
            choice=Choice(frozenset(missing), frozenset(owners)),
        )
        for file in export.files:
            path, text = f"{self._sources.folder}/{file.path}", self._without_schema(file.text)
            if file.appended:
                last = len(self._sources.texts[path].removesuffix("\n").split("\n")) + 1
                self._edits[path].append(LineEdit(last, last, _lines(text)))
            else:
                self._new[path] = text

    def _without_schema(self, text: str) -> str:
        """A text without the lines for editors, where they would lead nowhere."""
        if SCHEMA in self._sources.files:
            return text
        lines = text.split("\n")
        return "\n".join(line for line in lines if not line.startswith(_FOR_EDITORS))

    def _new_names(self) -> Iterator[str]:
        """New files as the folder has them."""
        for path in self._new:
            yield path.removeprefix(f"{self._sources.folder}/").lower()

    def _written(self, missing: Collection[str], kept: frozenset[ExchangeKey]) -> Written:
        documents = self._documents
        return Written(
            application_names={each.application: each.name for each in documents.applications},
            names={
                Kind.APPLICATION: frozenset(name_key(each.name) for each in documents.applications),
                Kind.EXCHANGE_POLICY: frozenset(name_key(each.name) for each in documents.exchange),
            },
            teams=frozenset(name_key(each.name) for each in documents.teams) - frozenset(missing),
            exchange=kept,
            files=self._sources.files | {SCHEMA} | {*self._new_names()},
            has_tenant=True,
        )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.removesuffix("\n").split("\n"))


def _pruned(plan: Plan) -> Iterator[str]:
    """Policies that a plan would delete because no document declares them."""
    for change in plan.changes:
        parsed = parse_address(change.address)
        if change.reason == ChangeReason.PRUNED and isinstance(parsed, TeamsPolicyAddress):
            yield name_key(parsed.name)
