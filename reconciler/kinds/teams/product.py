"""Teams as a product: what the rest of the house asks of it."""

from __future__ import annotations

from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from reconciler.audiences.verdicts import Ambiguous, Unnamed
from reconciler.guids import GUID
from reconciler.kinds.product import PlanContext, Product, ProductPlan, RehearsedPart, Ties
from reconciler.kinds.snapshots import opaque_snapshot
from reconciler.kinds.teams import (
    access_changes,
    changes,
    checks,
    cmdlets,
    desired,
    digest_rows,
    explaining,
    exposures,
    listing,
    meanings,
    parse,
    quarantine,
    rehearsing,
    reliances,
    row_lists,
    states,
    steps,
    target,
    unmanaged,
    unreplaced,
)
from reconciler.kinds.teams.effective_policy import user_verdict
from reconciler.kinds.teams.effective_sources import effective_answers, membership
from reconciler.kinds.tenant_wide import tenant_wide_refusals
from reconciler.kinds.widening import widening_refusals
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    TEAMS_TENANT_GRANT,
    Provider,
    TeamsApplicationAddress,
    TeamsGroupGrantAddress,
    TeamsPolicyAddress,
    TeamsTenantGrantAddress,
    TeamsUserGrantAddress,
    parse_address,
    teams_application,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.baselines import Baseline
from reconciler.model.desired import DesiredTeams
from reconciler.model.documents import Kind
from reconciler.model.observed import Directory, EffectiveAnswer, TeamsState
from reconciler.model.plans import Note
from reconciler.model.requests import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.audiences.questions import Advice, Known, Question
    from reconciler.audiences.reached import ReachedPart
    from reconciler.audiences.verdicts import Answer, Verdict
    from reconciler.canonical import Json
    from reconciler.kinds.access_bounds import AccessBounds
    from reconciler.kinds.capture_faults import FaultList
    from reconciler.kinds.capture_reads import RowList
    from reconciler.kinds.snapshots import ResizedLists, Snapshot
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.kinds.typed_names import NamedObjects
    from reconciler.kinds.undoing import Holding, Past, Undoing
    from reconciler.model.addresses import Address
    from reconciler.model.documents import Documents
    from reconciler.model.findings import Finding, Position
    from reconciler.model.inventories import ListedPolicy
    from reconciler.model.plans import AttributeChange, Change, ListHolders, Step, WidenedList
    from reconciler.model.unmanaged import UnmanagedObject


class Teams(Product[DesiredTeams, TeamsState]):
    """`*-CsApplicationAccessPolicy`: an allow-list for each user."""

    provider: Provider = "teams"
    subject_kind = SubjectKind.USER
    consent_forms = (
        rf"(?:tenant-wide|exposure):teams\.application/{GUID.pattern}",
        r"displaced:teams\.policy/.+",
        r"limits:(?:teams\.(?:policy|grant)|widening)",
        rf"removed:teams\.grant/user:{GUID.pattern}",
        r"read-warning:teams",
    )
    single_consent_forms = (r"undo-old:teams",)
    lists: tuple[RowList, ...] = row_lists.LISTS
    section_rows = parse.TeamsRows

    def is_named(self, documents: Documents) -> bool:
        """Policies are declared, undeclared ones shall go, or an application shall reach nobody."""
        prunes = documents.tenant is not None and Kind.TEAMS_POLICY in documents.tenant.prune
        return bool(documents.teams or documents.quarantined) or prunes

    def request(self, documents: Documents) -> CaptureRequest:
        """Listed users, groups that hold a grant, and the recipients that addresses of groups lead
        to; users, of whom there are many, in no order.
        """
        listings = chain.from_iterable(document.users or () for document in documents.teams)
        users = dict.fromkeys(chain.from_iterable(listing.texts for listing in listings))
        names = {grant.group for document in documents.teams for grant in document.groups or ()}
        groups = {name for name in names if GUID.fullmatch(name)}
        return CaptureRequest(
            frozenset(),
            users=tuple(users),
            recipients=tuple(sorted(names - groups)),
            groups=tuple(sorted(groups)),
        )

    def subjects(self, names: frozenset[str]) -> CaptureRequest:
        """Users, and which policy is effective for them: a live tenant does not tell who is in
        groups.
        """
        users = tuple(sorted(names))
        return CaptureRequest(frozenset({self.provider}), users=users, effective=users)

    def effective(
        self, section: Mapping[str, Any], state: TeamsState, directory: Directory
    ) -> Mapping[str, EffectiveAnswer]:
        """What effective assignments of users prove about groups."""
        return effective_answers(section, state, directory)

    def labels(self, documents: Documents) -> Mapping[str, str]:
        """Labels of groups."""
        return {
            grant.group: grant.label
            for document in documents.teams
            for grant in document.groups or ()
            if grant.label
        }

    def parse(self, section: Mapping[str, Any], path: str, faults: FaultList) -> TeamsState:
        """Policies, group assignments, and users with a direct grant."""
        holders_only = row_lists.has_holders_only(section)
        return parse.parse_section(section, path, faults, holders_only=holders_only)

    def digest_rows(self, state: TeamsState) -> Json:
        """Policies, groups in rank order, and the spelling of policy names."""
        ranks = [row.text for row in state.opaque_ranks]
        described = (
            (policy, policy.odd_description or policy.description)
            for policy in state.policies.values()
        )
        return {
            "policies": [
                [policy.name, list(policy.applications), description]
                for policy, description in described
            ],
            "groups": state.groups,
            "spelled": state.spelled,
            **({"opaqueRanks": ranks} if ranks else {}),
        }

    def direct_grants(self, state: TeamsState) -> Mapping[str, str]:
        """Users with the key of the policy that is granted to them directly."""
        return state.users

    def names(self, state: TeamsState) -> Mapping[str, str]:  # noqa: ARG002  has none of its own
        """Teams prints ids only."""
        return {}

    def resolve(
        self, documents: Documents, directory: Directory, state: TeamsState | None
    ) -> tuple[DesiredTeams, Sequence[Finding]]:
        """User names become object ids."""
        holders = {} if state is None else state.users
        tenant = documents.tenant
        refuse = tenant is not None and tenant.refuses_absent_users
        return desired.resolve(
            documents.teams,
            directory,
            holders,
            refuse_absent=refuse,
            quarantined=documents.quarantined,
        )

    def desired_rows(self, desired: DesiredTeams) -> Json:
        """Policies, groups in declared order, digests of the users of each policy."""
        return digest_rows.desired_rows(desired)

    def addresses(self, desired: DesiredTeams, state: TeamsState | None) -> Iterator[Address]:
        """Policies, grants of users and groups, and the tenant-wide grant."""
        yield TEAMS_TENANT_GRANT
        yield from (teams_policy(policy.name) for policy in desired.policies.values())
        yield from map(teams_user_grant, desired.users)
        yield from (teams_group_grant(group) for group, _ in desired.groups)
        yield from map(teams_application, quarantine.applications_of_lists(desired, state))
        if state is not None:
            yield from (teams_policy(policy.name) for policy in state.policies.values())
            yield from map(teams_user_grant, state.users)
            yield from (teams_group_grant(assignment.group) for assignment in state.groups)

    def selected_form(self, address: str) -> str | None:
        """A policy by its name, a grant by whom it is for, an application in all lists."""
        match parse_address(address):
            case (
                TeamsPolicyAddress(name)
                | TeamsUserGrantAddress(name)
                | TeamsGroupGrantAddress(name)
                | TeamsApplicationAddress(name)
            ):
                return address.lower() if name else None
            case TeamsTenantGrantAddress():
                return address.lower()
            case _:
                return None

    def whole_form(self, address: str) -> str | None:  # noqa: ARG002  each stands for itself
        """Policies and grants are parts of nothing."""
        return None

    def meanings(
        self, text: str, objects: NamedObjects, state: TeamsState | None
    ) -> Iterable[tuple[Address, ...]]:
        """By names of applications and policies, principal names, and addresses or labels of groups."""
        return ((address,) for address in meanings.meanings(text, objects, state))

    def bears_on(self, document: str, selected: Collection[str]) -> bool:
        """A policy's own attributes are in its document alone, a grant can be in any."""
        concerned = {address for address in selected if address.startswith("teams.")}
        if all(address.startswith(teams_policy("")) for address in concerned):
            return teams_policy(document).lower() in concerned
        return True

    def plan(self, desired: DesiredTeams, state: TeamsState, context: PlanContext) -> ProductPlan:
        """The plan of the Teams side."""
        aim, directory = _target(desired, state, context), context.directory
        bystanders = cache(partial(_bystanders, directory.users, state.users, aim.users))
        order = steps.ordered(state, aim, regranting=context.regranting, bystanders=bystanders)
        reached = access_changes.access_changes(state, aim, directory)
        rested_on = bool(order.drafts or desired.quarantined)
        return ProductPlan(
            provider=self.provider,
            changes=tuple(changes.changes(state, aim)),
            ordered=order,
            baseline=Baseline(
                teams=states.baseline(state, aim) if rested_on else None,
                opaque=(states.opaque(state) if rested_on else {}) or UNSET,
                quarantined=tuple(sorted(desired.quarantined)) or UNSET,
            ),
            access=reached.delta,
            outcome=reached.outcome,
            refusals=(
                *checks.refusals(state, aim, desired, directory, context.limits),
                *exposures.exposures(order),
                *tenant_wide_refusals(reached.delta, teams_application),
                *widening_refusals(reached.delta, teams_application, context.limits),
            ),
            warnings=(
                *checks.warnings(state, aim, desired, directory),
                *exposures.regrants(order, state),
                *reached.warnings,
                *quarantine.unrestored(state, aim.policies, desired),
            ),
            unmanaged=tuple(checks.unmanaged(state, aim, desired)),
            displaced=tuple(
                Note("displaced", address, dict(details))
                for address, details in checks.displaced(state, aim, desired)
            ),
            held=aim.held,
            widened=tuple(states.widened(state, aim)) if order.drafts else (),
            narrowed=tuple(states.narrowed(state, aim)) if order.drafts else (),
            consented=aim.consented,
        )

    def outcome(self, desired: DesiredTeams, state: TeamsState, context: PlanContext) -> TeamsState:
        """The Teams side once the documents are applied."""
        return target.state_reached(state, _target(desired, state, context))

    def past_request(self, baseline: Baseline) -> CaptureRequest:
        """Users and groups whose grants it has."""
        section = baseline.of_teams()
        if section is None:
            return CaptureRequest(frozenset())
        return CaptureRequest(
            frozenset({self.provider}),
            users=tuple(user for user in section.users if GUID.fullmatch(user)),
            groups=tuple(row.group for row in section.groups if GUID.fullmatch(row.group)),
        )

    def undone(
        self, past: Past, state: TeamsState, directory: Directory, holding: Holding
    ) -> Undoing[DesiredTeams, TeamsState] | None:
        """Entries of lists, grants of users, and the list of groups as a whole."""
        section = past.baseline.of_teams()
        if section is None:
            return None
        from reconciler.kinds.teams import undoing  # noqa: PLC0415  lazy: seldom asked for

        return undoing.undone(section, past, state, directory, holding)

    def sections(self, states_of_tenant: Sequence[TeamsState]) -> tuple[Baseline, ...]:
        """All policies and groups, and the direct grants that differ."""
        return tuple(Baseline(teams=section) for section in states.sections(states_of_tenant))

    def judge(
        self, state: TeamsState, directory: Directory
    ) -> Callable[[str, str], tuple[str, Answer]]:
        """Whether applications reach the meetings of users."""

        def answer(application: str, name: str) -> tuple[str, Answer]:
            user = explaining.user_id(state, directory, name)
            if isinstance(user, (Unnamed, Ambiguous)):
                return name, user
            return user, user_verdict(state, application, user, membership(directory, user))

        return answer

    def explain(
        self, question: Question, knowledge: Known, state: TeamsState | None
    ) -> tuple[Verdict, Iterable[Advice]]:
        """The verdict on a question, and what would change it."""
        verdict = explaining.explained_verdict(question, knowledge, state)
        return verdict, explaining.advice(question, state, verdict)

    def applications(self, state: TeamsState) -> frozenset[str]:
        """Client ids that its policies name."""
        return listing.listed_applications(state)

    def reached(
        self, state: TeamsState, directory: Directory, application: str
    ) -> Iterable[ReachedPart]:
        """Whom an application reaches."""
        return listing.reached_by_rule(state, directory, application)

    def inventory(self, state: TeamsState, desired: DesiredTeams | None) -> Iterable[ListedPolicy]:
        """Policies and grants."""
        return listing.inventory(state, desired)

    def unmanaged_objects(
        self, state: TeamsState, desired: DesiredTeams, apart: Collection[str]
    ) -> Iterable[UnmanagedObject]:
        """Policies with their grants; single grants where they are listed separately."""
        return unmanaged.unmanaged_objects(state, desired, apart)

    def declared_verdicts(self, documents: Documents) -> Callable[[str, str], Verdict]:
        """What the documents alone decide."""
        return explaining.declared_verdicts(documents)

    def declared_at(
        self, documents: Documents, directory: Directory, wanted: Collection[str]
    ) -> Iterator[tuple[Address, Position]]:
        """Where the documents declare policies and grants."""
        return explaining.declared_at(documents.teams, directory, wanted)

    def start(self, baseline: Baseline) -> Snapshot:
        """Policies, grants and descriptions of the baseline."""
        section = baseline.of_teams()
        if section is None:
            return {}
        texts = baseline.opaque_of(self.provider)
        return states.starting_snapshot(section) | opaque_snapshot(texts)

    def project(
        self,
        baseline: Baseline,
        steps: Sequence[Step],  # noqa: ARG002  what they touch is in the baseline
        state: TeamsState,
    ) -> Snapshot:
        """The same of a tenant."""
        section = baseline.of_teams()
        if section is None:
            return {}
        return states.project(section, state, baseline.shut_out())

    def holders_before(
        self, baseline: Baseline, state: TeamsState, rows: Sequence[WidenedList | ListHolders]
    ) -> Iterable[WidenedList | ListHolders]:
        """Those that the plan's own holders are put back into."""
        section = baseline.of_teams()
        return () if section is None else states.holders_before(section, state, rows)

    def effect(self, snapshot: Snapshot, step: Step) -> Snapshot:
        """What a step sets."""
        return states.effect(snapshot, step)

    def spellings(
        self, baseline: Baseline, steps: Sequence[Step], state: TeamsState
    ) -> Mapping[str, str]:
        """Policies, which a snapshot has under lower-case names."""
        section = baseline.of_teams()
        return {} if section is None else states.spellings(section, steps, state)

    def told_state(
        self, baseline: Baseline, steps: Sequence[Step], snapshot: Snapshot
    ) -> tuple[TeamsState, frozenset[str]] | None:
        """Policies, group grants, and the direct grants of the users whom steps touch."""
        section = baseline.of_teams()
        return None if section is None else states.told_state(section, steps, snapshot)

    def is_addressed(self, step: Step) -> bool:
        """A policy by its identity, a grant by whom it is for."""
        return step.address.lower() in cmdlets.written_addresses(step)

    def reliances(self, baseline: Baseline, steps: Sequence[Step]) -> Mapping[int, int]:
        """Removals from lists, unassignments and dropped groups, and what was granted before."""
        section = baseline.of_teams()
        return {} if section is None else reliances.reliances(section, steps)

    def ties(self, step: Step) -> Ties:
        """Ranks are positions: no group step without the ones before it. A tenant-wide grant copies
        a list, which has to be final.
        """
        return cmdlets.ties(step)

    def unreplaced(
        self,
        baseline: Baseline,
        done: Sequence[Step],
        kept: Sequence[Step],
        planned: Sequence[Step],
    ) -> frozenset[int]:
        """Steps that take an application from users whom the plan gives it by another way."""
        section = baseline.of_teams()
        if section is None:
            return frozenset()
        return unreplaced.unreplaced(section, done, kept, planned)

    def rehearsed(self, baseline: Baseline, steps: Sequence[Step]) -> RehearsedPart:
        """Policies and grants of the baseline, held by made-up people."""
        section = baseline.of_teams()
        return rehearsing.NOTHING if section is None else rehearsing.rehearsed(section, steps)

    def attributes(self, change: Change) -> tuple[AttributeChange, ...]:
        """Of a policy, and of a group's grant; a user's needs none."""
        return changes.attributes(change)

    def resized_lists(self, before: Snapshot, after: Snapshot) -> ResizedLists:
        """Lists of policies."""
        return states.resized_lists(before, after)

    def access_bounds(
        self, baseline: Baseline, steps: Sequence[Step], before: Snapshot, after: Snapshot
    ) -> AccessBounds | None:
        """Whose meetings applications gain and lose by the steps."""
        section = baseline.of_teams()
        return None if section is None else states.access_bounds(section, steps, before, after)

    def shows(
        self, address: Address, values: Mapping[str, Json] | None, snapshot: Snapshot
    ) -> bool:
        """Whether a snapshot has a policy's list and description, or a grant, as given."""
        return states.shows(address, values, snapshot)


def _target(desired: DesiredTeams, state: TeamsState, context: PlanContext) -> TeamsTarget:
    return target.target(
        desired,
        state,
        prune=context.prunes(Kind.TEAMS_POLICY),
        holding=context.holding,
        directory=context.directory,
        consents=context.consents,
    )


def _bystanders(users: Collection[str], before: Collection[str], changing: Collection[str]) -> int:
    """How many users are known who hold no policy directly, neither before nor after."""
    holding = sum(map(users.__contains__, before))
    gaining = sum(user in users and user not in before for user in changing)
    return len(users) - holding - gaining
