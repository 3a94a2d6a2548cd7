"""What the rest of the house asks of a product. A product is a value with these methods; it is
in `kinds.products.PRODUCTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from msgspec import Struct

from reconciler.kinds.attributes import attributes_of_both
from reconciler.kinds.capture_reads import check_reads
from reconciler.kinds.snapshots import ResizedLists
from reconciler.model.documents import Kind, Limits
from reconciler.model.requests import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.audiences.questions import Advice, Known, Question
    from reconciler.audiences.reached import ReachedPart
    from reconciler.audiences.subjects import Delta
    from reconciler.audiences.verdicts import Answer, Verdict
    from reconciler.canonical import Json
    from reconciler.kinds.access_bounds import AccessBounds
    from reconciler.kinds.capture_faults import FaultList
    from reconciler.kinds.capture_reads import RowList
    from reconciler.kinds.ordering.orders import Ordered
    from reconciler.kinds.snapshots import Snapshot
    from reconciler.kinds.typed_names import NamedObjects
    from reconciler.kinds.undoing import Past, Undoing
    from reconciler.model.access_rows import SubjectKind
    from reconciler.model.addresses import Address, Provider
    from reconciler.model.baselines import Baseline
    from reconciler.model.codes import Held
    from reconciler.model.documents import Documents, TenantDocument
    from reconciler.model.findings import Finding, Position
    from reconciler.model.inventories import ListedPolicy
    from reconciler.model.observed import Directory, EffectiveAnswer, State
    from reconciler.model.plans import AttributeChange, Change, ListHolders, Note, Step, WidenedList
    from reconciler.model.unmanaged import UnmanagedObject

DesiredT = TypeVar("DesiredT")
StateT = TypeVar("StateT")


class PlanContext(Struct, frozen=True):
    """What a product's plan depends on beside its desired and its observed state.

    Attributes:
        directory: What the capture knows of users, groups and recipients.
        holding: Why an address is held at its observed value, None if it is not.
        tenant: The Tenant document; None if there is none.
        regranting: Whether a group's grant is changed in place; it is taken away first otherwise.
        consents: All consents, standing ones and those of the command line, in lower case.
        other_limits: What the plan is checked against, if not the limits of the Tenant document.
    """

    directory: Directory
    holding: Callable[[Address], Held | None]
    tenant: TenantDocument | None = None
    regranting: bool = True
    consents: frozenset[str] = frozenset()
    other_limits: Limits | None = None

    @property
    def limits(self) -> Limits:
        """The limits of the Tenant document, or the defaults."""
        if self.other_limits is not None:
            return self.other_limits
        return Limits() if self.tenant is None else self.tenant.limits

    @property
    def guard_scope(self) -> str | None:
        """The scope of guards that the Tenant document declares; None if it does not."""
        return None if self.tenant is None else self.tenant.guard_scope

    def prunes(self, kind: Kind) -> bool:
        """Whether undeclared objects of a kind are deleted."""
        return self.tenant is not None and kind in self.tenant.prune


class ProductPlan(Struct, frozen=True):
    """What one product contributes to a plan."""

    provider: Provider
    changes: tuple[Change, ...]
    ordered: Ordered
    baseline: Baseline
    access: Delta
    outcome: State
    refusals: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    unmanaged: tuple[Note, ...] = ()
    displaced: tuple[Note, ...] = ()
    held: tuple[Note, ...] = ()
    widened: tuple[WidenedList, ...] = ()
    narrowed: tuple[ListHolders, ...] = ()
    consented: tuple[str, ...] = ()
    """Consents that it could be made with only."""


class RehearsedPart(Struct, frozen=True):
    """One product's part of a simulated tenant that is made from a plan: its section of the file,
    and the rows of the directory that it needs.
    """

    section: Mapping[str, Json]
    users: tuple[Mapping[str, Json], ...] = ()
    groups: tuple[Mapping[str, Json], ...] = ()
    recipients: tuple[Mapping[str, Json], ...] = ()


class Ties(Struct, frozen=True):
    """What of a product a step leaves in place for later ones, and what it must find in place
    itself, beside what the service and safety ask for; by any names.
    """

    provides: frozenset[str]
    requires: frozenset[str]


class Product(Protocol[DesiredT, StateT]):
    """One product, with its own types of desired and observed state."""

    @property
    def provider(self) -> Provider:
        """Its name in documents, captures and plans."""

    @property
    def subject_kind(self) -> SubjectKind | None:
        """What one subject of its access is: a user, a mailbox; None if nobody asks about one."""

    @property
    def lists(self) -> tuple[RowList, ...]:
        """The lists of rows in its section of a capture."""

    @property
    def section_rows(self) -> type[Struct] | None:
        """Its section of a capture, where long lists are values at once; None if none are long."""

    def is_named(self, documents: Documents) -> bool:
        """Whether the documents need a complete reading of it."""

    def request(self, documents: Documents) -> CaptureRequest:
        """The names that its documents want resolved."""

    def subjects(self, names: frozenset[str]) -> CaptureRequest:
        """What is to be read to judge these subjects of access tests, lower-case."""

    def labels(self, documents: Documents) -> Mapping[str, str]:
        """Names for people that its documents give to object ids."""

    def read_section(self, section: Mapping[str, Any], path: str, faults: FaultList) -> StateT:
        """Read its section of a capture, which must have all that there is; the result is of use
        only if no fault was added.
        """
        check_reads(self.lists, section, path, faults)
        return self.parse(section, path, faults)

    def effective(
        self,
        section: Mapping[str, Any],  # noqa: ARG002  not every product has such a reading
        state: StateT,  # noqa: ARG002
        directory: Directory,  # noqa: ARG002
    ) -> Mapping[str, EffectiveAnswer]:
        """What answers about single users prove, by user, beside who is in groups."""
        return {}

    def parse(self, section: Mapping[str, Any], path: str, faults: FaultList) -> StateT:
        """The rows of its section of a capture, whether or not these are all; likewise."""

    def digest_rows(self, state: StateT) -> Json:
        """What of its state the capture digest covers, direct grants of users left out."""

    def direct_grants(self, state: StateT) -> Mapping[str, str]:
        """Users by object id with what they hold directly; empty where a product has no such."""

    def names(self, state: StateT) -> Mapping[str, str]:
        """Names for people that its objects carry for object ids."""

    def doubting(
        self,
        state: StateT,
        scopes: Collection[str],  # noqa: ARG002  not every product has objects on scopes
    ) -> StateT:
        """The state with what has one of these scopes as not understood: a reading says of each both
        that it is there and that it is not.
        """
        return state

    def resolve(
        self, documents: Documents, directory: Directory, state: StateT | None
    ) -> tuple[DesiredT, Sequence[Finding]]:
        """Desired state with object ids, and the faults that show only once names are ids."""

    def desired_rows(self, desired: DesiredT) -> Json:
        """The desired state for the documents digest: no names for people, no positions."""

    def addresses(self, desired: DesiredT, state: StateT | None) -> Iterator[Address]:
        """Everything that `--only` and `--skip` may name."""

    def selected_form(self, address: str) -> str | None:
        """The form in which `--only` and `--skip` compare an address of the product, lower-case;
        None if it is not one that can be selected.
        """

    def whole_form(self, address: str) -> str | None:
        """The same of what the address is a part of, which is selected with all of its parts; None
        if it is a part of nothing.
        """

    def meanings(
        self,
        text: str,  # noqa: ARG002  its objects have no other names
        objects: NamedObjects,  # noqa: ARG002
        state: StateT | None,  # noqa: ARG002
    ) -> Iterable[tuple[Address, ...]]:
        """What of the product a text may mean that is not one of its addresses: the objects of each
        meaning, which need not exist.
        """
        return ()

    def bears_on(self, document: str, selected: Collection[str]) -> bool:
        """Whether a fault in the document of this name can bear on the selected addresses."""

    @property
    def consent_forms(self) -> tuple[str, ...]:
        """Regular expressions of the consents that its plans may need, `RULE:ADDRESS`, and that a
        Tenant document may give for good.
        """

    @property
    def single_consent_forms(self) -> tuple[str, ...]:
        """The same of those that are given for one plan only."""
        return ()

    def plan(self, desired: DesiredT, state: StateT, context: PlanContext) -> ProductPlan:
        """Changes, ordered steps, and everything that is to be said of them."""

    def outcome(self, desired: DesiredT, state: StateT, context: PlanContext) -> StateT:
        """The state once the desired state is reached."""

    def past_request(self, baseline: Baseline) -> CaptureRequest:  # noqa: ARG002  most need nothing
        """What has to be read to undo a plan of this baseline."""
        return CaptureRequest(frozenset())

    def undone(
        self,
        past: Past,  # noqa: ARG002
        state: StateT,  # noqa: ARG002
        directory: Directory,  # noqa: ARG002
        holding: Callable[[Address], Held | None],  # noqa: ARG002
    ) -> Undoing[DesiredT, StateT] | None:
        """What leads back from what a plan did, and what of that is left alone; None if plans of the
        product cannot be undone, or the plan did nothing to it.
        """
        return None

    def sections(self, states: Sequence[StateT]) -> tuple[Baseline, ...]:
        """Several states of one tenant, each as a baseline that has all in which they differ and
        all that this bears on; empty if the product knows no access.
        """

    def judge(
        self, state: StateT, directory: Directory
    ) -> Callable[[str, str], tuple[str, Answer]]:
        """What a state says of an application and a subject by any name, both lower-case.

        Returns: A function that gives the subject's object id (or the name, if it leads to nobody)
        and the verdict (or why there is none).
        """

    def explain(
        self, question: Question, knowledge: Known, state: StateT | None
    ) -> tuple[Verdict, Iterable[Advice]]:
        """The verdict on a question, and what would change it; `state` None: nothing is known."""

    def applications(self, state: StateT) -> frozenset[str]:
        """Client ids that its policies name."""

    def reached(
        self, state: StateT, directory: Directory, application: str
    ) -> Iterable[ReachedPart]:
        """Whom an application (client id, lower-case) reaches, by the rule that lets it; what is not
        known is not certain. It agrees with `explain`.
        """

    def inventory(self, state: StateT, desired: DesiredT | None) -> Iterable[ListedPolicy]:
        """Everything that there is, and whether documents manage it; None: there are none."""

    def unmanaged_objects(
        self, state: StateT, desired: DesiredT, apart: Collection[str]
    ) -> Iterable[UnmanagedObject]:
        """What there is and documents do not declare, or leave open; what they declare as a whole
        is listed without its parts.

        `apart`: addresses, in lower case, of what is listed separately instead of with what it is
        a part of.
        """

    def declared_verdicts(self, documents: Documents) -> Callable[[str, str], Verdict]:
        """What the documents alone decide, by application and the text that names a subject."""

    def declared_at(
        self, documents: Documents, directory: Directory, wanted: Collection[str]
    ) -> Iterator[tuple[Address, Position]]:
        """Where the documents declare the product's objects; at least those of the wanted addresses."""

    def start(self, baseline: Baseline) -> Snapshot:
        """Its part of the state before a plan's first step; empty if the plan does not rest on it."""

    def project(self, baseline: Baseline, steps: Sequence[Step], state: StateT) -> Snapshot:
        """The same part of a tenant as it is now.

        Args:
            baseline: What the plan rests on.
            steps: All steps of the plan.
            state: The product's state now.
        """

    def holders_before(
        self,
        baseline: Baseline,  # noqa: ARG002  most have no lists that somebody holds
        state: StateT,  # noqa: ARG002
        rows: Sequence[WidenedList | ListHolders],  # noqa: ARG002
    ) -> Iterable[WidenedList | ListHolders]:
        """Who would hold these lists if those whose grants a baseline has held what it says.

        Args:
            baseline: What a plan rests on.
            state: The product's state now.
            rows: The lists, of any product.
        """
        return ()

    def effect(self, snapshot: Snapshot, step: Step) -> Snapshot:
        """The entries that a step of the product sets in a snapshot."""

    def spellings(
        self, baseline: Baseline, steps: Sequence[Step], state: StateT
    ) -> Mapping[str, str]:
        """Addresses of a snapshot that a service or a plan spells otherwise, as they are spelled.

        Args:
            baseline: What the plan rests on.
            steps: All steps of the plan.
            state: The product's state now.
        """

    def told_state(
        self, baseline: Baseline, steps: Sequence[Step], snapshot: Snapshot
    ) -> tuple[StateT, frozenset[str]] | None:
        """What a snapshot tells of it, and the users or applications that it tells of; None if the
        plan does not rest on it.
        """

    def is_addressed(self, step: Step) -> bool:
        """Whether the address of a step, what it is judged by, is what its parameters change."""

    def reliances(self, baseline: Baseline, steps: Sequence[Step]) -> Mapping[int, int]:
        """For steps (ids) that take something away, the earlier step that they rely on, told from
        the baseline and the steps alone.

        `steps`: all of the product.
        """

    def ties(self, step: Step) -> Ties:
        """Which steps are left out with a step that does not run: those that require what it
        provides.
        """

    def unreplaced(
        self,
        baseline: Baseline,
        done: Sequence[Step],
        kept: Sequence[Step],
        planned: Sequence[Step],
    ) -> frozenset[int]:
        """Ids of those steps that take from somebody for good what the plan gives the same person
        by steps that do not run.

        Args:
            baseline: What the plan rests on.
            done: Steps of the product that are done.
            kept: Steps of the product that are to run after them.
            planned: All its steps.
        """

    def rehearsed(self, baseline: Baseline, steps: Sequence[Step]) -> RehearsedPart:
        """A simulated tenant's part in which its baseline is true and its steps can be run."""

    def attributes(self, change: Change) -> tuple[AttributeChange, ...]:
        """What a change has to say that differs, by its values alone."""
        return attributes_of_both(change.before, change.after)

    def resized_lists(
        self,
        before: Snapshot,  # noqa: ARG002  most have no lists whose holders a plan seals
        after: Snapshot,  # noqa: ARG002
    ) -> ResizedLists:
        """Which lists of applications get longer and shorter between two snapshots, of those whose
        holders a plan seals.
        """
        return ResizedLists()

    def access_bounds(
        self, baseline: Baseline, steps: Sequence[Step], before: Snapshot, after: Snapshot
    ) -> AccessBounds | None:
        """What a plan's baseline and steps alone say about access; None if the plan does not rest
        on the product.

        Args:
            baseline: What the plan rests on.
            steps: All steps of the plan.
            before: The state before the first step.
            after: The state after the last one.
        """

    def consents(
        self,
        before: Snapshot,  # noqa: ARG002  most need none
        steps: Sequence[Step],  # noqa: ARG002
    ) -> frozenset[str]:
        """The consents, `RULE:ADDRESS`, that its steps need by what they do to a snapshot; those that
        follow from access bounds left out.

        Args:
            before: The state before the first step.
            steps: All steps of the plan, of other products too.
        """
        return frozenset()

    def shows(
        self, address: Address, values: Mapping[str, Json] | None, snapshot: Snapshot
    ) -> bool:
        """Whether the values that a change gives for an object are those of a snapshot; None: it
        does not exist.
        """
