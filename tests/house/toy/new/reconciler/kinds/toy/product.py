"""The toy as a product: what the rest of the house asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.audiences.subjects import Delta
from reconciler.audiences.verdicts import Depends
from reconciler.kinds.access_bounds import AccessBounds, bounds
from reconciler.kinds.attributes import object_change
from reconciler.kinds.capture_reads import RowList
from reconciler.kinds.capture_rows import objects, text_property
from reconciler.kinds.ordering.orders import Ordered
from reconciler.kinds.product import PlanContext, Product, ProductPlan, RehearsedPart, Ties
from reconciler.model.addresses import Address, Provider
from reconciler.model.baselines import Baseline
from reconciler.model.codes import ChangeReason, StepReason
from reconciler.model.inventories import ListedPolicy
from reconciler.model.observed import Directory, State
from reconciler.model.plans import Action, Invocation, Note, ObjectKind, StepDraft
from reconciler.model.requests import CaptureRequest
from reconciler.model.unmanaged import UnmanagedObject

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.audiences.questions import Advice, Known, Question
    from reconciler.audiences.reached import ReachedPart
    from reconciler.audiences.verdicts import Answer, Verdict
    from reconciler.canonical import Json
    from reconciler.kinds.capture_faults import FaultList
    from reconciler.kinds.snapshots import Snapshot
    from reconciler.model.desired import Unresolved
    from reconciler.model.documents import Documents
    from reconciler.model.findings import Finding, Position
    from reconciler.model.plans import Change, Step

_PREFIX = "toy.name/"
_NOBODY = Delta((), (), (), {})


class ToyState(State, frozen=True):
    """Names that the service has."""

    names: frozenset[str]


class DesiredToy(Struct, frozen=True):
    """Names that the service shall have; None if no document says it."""

    names: frozenset[str] | None
    unresolved: tuple[Unresolved, ...] = ()


class Toy(Product[DesiredToy, ToyState]):
    """A list of names: no application is given anything by it, so that it has no access."""

    provider: Provider = "toy"
    subject_kind = None
    consent_forms = ()
    lists: tuple[RowList, ...] = (RowList("names", "Get-ToyName"),)
    section_rows = None

    def is_named(self, documents: Documents) -> bool:
        return bool(documents.toy)

    def request(self, documents: Documents) -> CaptureRequest:
        return CaptureRequest(frozenset())

    def subjects(self, names: frozenset[str]) -> CaptureRequest:
        return CaptureRequest(frozenset())

    def labels(self, documents: Documents) -> Mapping[str, str]:
        return {}

    def parse(self, section: Mapping[str, Any], path: str, faults: FaultList) -> ToyState:
        rows = objects(section, "names", path, faults)
        return ToyState(
            frozenset(
                text_property(row.get("Identity"), f"{path}.Identity", faults) for row in rows
            )
        )

    def digest_rows(self, state: ToyState) -> Json:
        return sorted(state.names)

    def direct_grants(self, state: ToyState) -> Mapping[str, str]:
        return {}

    def names(self, state: ToyState) -> Mapping[str, str]:
        return {}

    def resolve(
        self,
        documents: Documents,
        directory: Directory,
        state: ToyState | None,
    ) -> tuple[DesiredToy, Sequence[Finding]]:
        listed = frozenset(name for document in documents.toy for name in document.names)
        return DesiredToy(listed if documents.toy else None), ()

    def desired_rows(self, desired: DesiredToy) -> Json:
        return None if desired.names is None else sorted(desired.names)

    def addresses(self, desired: DesiredToy, state: ToyState | None) -> Iterator[Address]:
        names = (desired.names or frozenset()) | (frozenset() if state is None else state.names)
        yield from map(_address, names)

    def selected_form(self, address: str) -> str | None:
        return address.lower() if address.startswith(_PREFIX) else None

    def whole_form(self, address: str) -> str | None:
        return None

    def bears_on(self, document: str, selected: Collection[str]) -> bool:
        return any(address.startswith(_PREFIX) for address in selected)

    def plan(self, desired: DesiredToy, state: ToyState, context: PlanContext) -> ProductPlan:
        after = self.outcome(desired, state, context)
        created, removed = sorted(after.names - state.names), sorted(state.names - after.names)
        drafts = (
            *(_draft("New-ToyName", name, StepReason.CREATE_POLICY) for name in created),
            *(_draft("Remove-ToyName", name, StepReason.DELETE_POLICY) for name in removed),
        )
        baseline = {name: name in state.names for name in (*created, *removed)}
        return ProductPlan(
            provider=self.provider,
            changes=(*map(_created, created), *map(_removed, removed)),
            ordered=Ordered(drafts),
            baseline=Baseline(toy=baseline if drafts else None),
            access=_NOBODY,
            outcome=after,
            held=tuple(_held(desired, state, context)),
        )

    def outcome(self, desired: DesiredToy, state: ToyState, context: PlanContext) -> ToyState:
        if desired.names is None:
            return state
        held = {name for name in desired.names ^ state.names if context.holding(_address(name))}
        return ToyState((desired.names - held) | (state.names & held))

    def sections(self, states: Sequence[ToyState]) -> tuple[Baseline, ...]:
        return ()

    def judge(
        self,
        state: ToyState,
        directory: Directory,
    ) -> Callable[[str, str], tuple[str, Answer]]:
        return lambda _application, name: (name, Depends((), ()))

    def explain(
        self,
        question: Question,
        known: Known,
        state: ToyState | None,
    ) -> tuple[Verdict, Iterable[Advice]]:
        return Depends((), ()), ()

    def applications(self, state: ToyState) -> frozenset[str]:
        return frozenset()

    def reached(
        self, state: ToyState, directory: Directory, application: str
    ) -> Iterable[ReachedPart]:
        return ()

    def inventory(self, state: ToyState, desired: DesiredToy | None) -> Iterable[ListedPolicy]:
        for name in sorted(state.names):
            managed = desired is not None and desired.names is not None
            yield ListedPolicy(self.provider, _address(name), name, managed)

    def unmanaged_objects(
        self, state: ToyState, desired: DesiredToy, apart: Collection[str]
    ) -> Iterable[UnmanagedObject]:
        for name in sorted(state.names):
            yield UnmanagedObject(_address(name), {} if desired.names is not None else {"is": True})

    def declared_verdicts(self, documents: Documents) -> Callable[[str, str], Verdict]:
        return lambda _application, _name: Depends((), ())

    def declared_at(
        self,
        documents: Documents,
        directory: Directory,
        wanted: Collection[str],
    ) -> Iterator[tuple[Address, Position]]:
        for document in documents.toy:
            for name in document.names:
                yield _address(name), document.position

    def start(self, baseline: Baseline) -> Snapshot:
        return {_address(name): has for name, has in (baseline.of_toy() or {}).items()}

    def project(
        self,
        baseline: Baseline,
        steps: Sequence[Step],
        state: ToyState,
    ) -> Snapshot:
        return {_address(name): name in state.names for name in baseline.of_toy() or {}}

    def effect(self, snapshot: Snapshot, step: Step) -> Snapshot:
        return {step.address: step.cmdlet == "New-ToyName"}

    def spellings(
        self,
        baseline: Baseline,
        steps: Sequence[Step],
        state: ToyState,
    ) -> Mapping[str, str]:
        return {}

    def told_state(
        self,
        baseline: Baseline,
        steps: Sequence[Step],
        snapshot: Snapshot,
    ) -> tuple[ToyState, frozenset[str]] | None:
        names = frozenset(baseline.of_toy() or {})
        return ToyState(frozenset(name for name in names if snapshot[_address(name)])), names

    def is_addressed(self, step: Step) -> bool:
        return step.address == _address(str(step.parameters["Identity"]))

    def reliances(self, baseline: Baseline, steps: Sequence[Step]) -> Mapping[int, int]:
        return {}

    def ties(self, step: Step) -> Ties:
        return Ties(frozenset(), frozenset())

    def unreplaced(
        self,
        baseline: Baseline,
        done: Sequence[Step],
        kept: Sequence[Step],
        planned: Sequence[Step],
    ) -> frozenset[int]:
        return frozenset()

    def rehearsed(self, baseline: Baseline, steps: Sequence[Step]) -> RehearsedPart:
        names = sorted(name for name, has in (baseline.of_toy() or {}).items() if has)
        return RehearsedPart({"names": [{"Identity": name} for name in names]})

    def access_bounds(
        self, baseline: Baseline, steps: Sequence[Step], before: Snapshot, after: Snapshot
    ) -> AccessBounds | None:
        return bounds(_NOBODY)

    def shows(
        self, address: Address, values: Mapping[str, Json] | None, snapshot: Snapshot
    ) -> bool:
        return (values is not None) is bool(snapshot[address])


def _address(name: str) -> Address:
    return Address(f"{_PREFIX}{name}")


def _draft(cmdlet: str, name: str, reason: StepReason) -> StepDraft:
    return StepDraft(_address(name), Invocation(cmdlet, {"Identity": name}), reason)


def _created(name: str) -> Change:
    return object_change(
        _address(name),
        ObjectKind.TOY_NAME,
        (Action.CREATE,),
        ChangeReason.DECLARED,
        None,
        {"name": name},
    )


def _removed(name: str) -> Change:
    return object_change(
        _address(name),
        ObjectKind.TOY_NAME,
        (Action.DELETE,),
        ChangeReason.NOT_LISTED,
        {"name": name},
        None,
    )


def _held(desired: DesiredToy, state: ToyState, context: PlanContext) -> Iterator[Note]:
    for name in sorted((desired.names or frozenset()) ^ state.names):
        why = None if desired.names is None else context.holding(_address(name))
        if why is not None:
            yield Note(why, _address(name), {})
