"""The edit of documents that says what a tenant has: lines that differ and no others, so that
comments and order stay; what cannot be edited line by line is written as `export` writes it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents.parsing import parse_yaml
from reconciler.exporting.composing import SCHEMA, exported
from reconciler.exporting.diffs import FileChange
from reconciler.exporting.document_edits import NotEditedError, edited_document
from reconciler.exporting.editing import LineEdit, text_lines
from reconciler.exporting.patching_exchange import ANEW, exchange_edits
from reconciler.exporting.patching_teams import NO_EDITS, TeamsEditing, teams_edits
from reconciler.exporting.values import Choice, Written
from reconciler.model.addresses import GLOBAL, TeamsPolicyAddress, name_key, parse_address
from reconciler.model.codes import ChangeReason
from reconciler.model.documents import Kind
from reconciler.model.observed import ExchangeState, TeamsState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reconciler.documents.trees import Tree
    from reconciler.exporting.document_edits import EditedDocument
    from reconciler.exporting.patching_teams import TeamsEdits
    from reconciler.model.documents import Documents, TeamsPolicyDocument
    from reconciler.model.findings import Position
    from reconciler.model.observed import ExchangeKey, Observed
    from reconciler.model.plans import Plan

_FOR_EDITORS = "# yaml-language-server:"
_BOM = "\ufeff"
_NOBODY = TeamsState({}, (), {}, {})
_NOTHING = ExchangeState({})


class Sources(Struct, frozen=True):
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
        self._trees = {
            file: parse_yaml(text.removeprefix(_BOM), file).trees
            for file, text in sources.texts.items()
            if file.endswith((".yaml", ".yml"))
        }

    def changes(self) -> list[FileChange]:
        """All changes of files."""
        missing = self._teams()
        kept = self._exchange()
        self._add(missing, kept)
        changes = [
            self._change(file, edits) for file, edits in sorted(self._edits.items()) if edits
        ]
        return [
            *changes,
            *(
                FileChange(
                    path,
                    None,
                    (LineEdit(1, 1, tuple(text.removesuffix("\n").split("\n"))),),
                )
                for path, text in sorted(self._new.items())
            ),
        ]

    def _change(self, file: str, edits: Sequence[LineEdit]) -> FileChange:
        gone = self._removed[file] == len(self._trees.get(file, ())) > 0
        text = self._sources.texts[file]
        if gone:
            whole = LineEdit(1, len(text_lines(text).lines) + 1)
            return FileChange(file, text, (whole,), gone=True)
        return FileChange(file, text, tuple(edits))

    def _document(self, position: Position) -> tuple[Tree, EditedDocument] | None:
        """The document that begins at a place, unless it is left as it is."""
        if position in self._manner.left or position.file not in self._trees:
            return None
        for tree in self._trees[position.file]:
            if tree.first_line <= position.line <= tree.last_line:
                text = self._sources.texts[position.file]
                return tree, edited_document(tree, text)
        return None

    def _put(self, file: str, edits: Sequence[LineEdit]) -> None:
        self._edits[file] += edits

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
            entry = self._document(policy.position)
            if entry is None:
                continue
            key = name_key(policy.name)
            if key not in state.policies:
                if not policy.absent:
                    self._remove(policy.position.file, entry[1])
                continue
            coarse = policy.absent or policy.position in self._manner.coarse
            try:
                edits = teams_edits(policy, entry[1], editing, coarse=coarse)
            except (NotEditedError, ValueError):
                edits = _coarsely(policy, entry[1], editing)
            for file, own in edits.lines.items():
                self._put(file, own)
            self._new |= edits.new
            if edits.needs_global:
                missing.add(GLOBAL)
        return missing - {name_key(each.name) for each in self._documents.teams}

    def _exchange(self) -> frozenset[ExchangeKey]:
        """Edit Exchange documents; the policies that they declare then as the tenant has them."""
        state = self._observed.state(ExchangeState)
        kept: set[ExchangeKey] = set()
        if state is None:
            return frozenset()
        for policy in self._documents.exchange:
            entry = self._document(policy.position)
            if entry is None:
                continue
            try:
                edits = exchange_edits(
                    policy, entry[1], state, self._observed.directory, self._documents
                )
            except (NotEditedError, ValueError):
                edits = ANEW
            if policy.position in self._manner.coarse:
                edits = ANEW
            if edits.removed:
                self._remove(policy.position.file, entry[1])
            else:
                self._put(policy.position.file, edits.lines)
            kept |= edits.kept
        return frozenset(kept)

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
                lines = tuple(text.removesuffix("\n").split("\n"))
                self._edits[path].append(LineEdit(last, last, lines))
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


def _coarsely(
    policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing
) -> TeamsEdits:
    """Another `spec`, if the document is written in a way that this can be told of."""
    try:
        return teams_edits(policy, document, editing, coarse=True)
    except (NotEditedError, ValueError):
        return NO_EDITS


def _pruned(plan: Plan) -> Iterator[str]:
    """Policies that a plan would delete because no document declares them."""
    for change in plan.changes:
        parsed = parse_address(change.address)
        if change.reason == ChangeReason.PRUNED and isinstance(parsed, TeamsPolicyAddress):
            yield name_key(parsed.name)
