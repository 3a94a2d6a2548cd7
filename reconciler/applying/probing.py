"""Asking Exchange itself about what was changed: for each application, one mailbox that it should
reach and one that it should not, where the members are known.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.audiences.verdicts import Denied, Granted
from reconciler.kinds.exchange import mailbox_access
from reconciler.kinds.exchange.scopes import is_governed, is_mailbox, scope_coverage
from reconciler.model.addresses import EVERY_APPLICATION, ExchangePolicyAddress, parse_address
from reconciler.model.applied import AccessCheck
from reconciler.model.observed import ExchangeState
from reconciler.model.verifications import Probe, ProbeSide
from reconciler.tenants.protocol import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.applying.watching import Watch
    from reconciler.model.observed import Directory, Observed, Recipient
    from reconciler.model.plans import Step
    from reconciler.tenants.protocol import Remote

    AskExchange: TypeAlias = Callable[[str, str], bool | NotUnderstood | None]

MOST_APPLICATIONS: Final = 20
"""So many applications are asked about; the call takes seconds each time."""
_NOTHING: Final = ExchangeState({})
_OTHER_SCOPES: Final = 3
"""Scopes of other applications, whose members may be outside."""


def touched(steps: Iterable[Step]) -> tuple[str, ...]:
    """Client ids of the applications whose Exchange policies these steps changed, sorted; without
    `*`, which is not an application.
    """
    policies = (parse_address(step.address) for step in steps)
    ids = {policy.application for policy in policies if isinstance(policy, ExchangePolicyAddress)}
    return tuple(sorted(ids - {EVERY_APPLICATION}))[:MOST_APPLICATIONS]


def checked(remote: Remote, watch: Watch, applications: Iterable[str]) -> tuple[AccessCheck, ...]:
    """Read who is in the scopes, and ask about each application.

    Raises:
        TenantFault: the tenant could not be read or asked.
        CaptureFault: what was read is malformed.
    """
    wanted = tuple(applications)
    state = watch.read_scopes(()).state(ExchangeState) or _NOTHING
    directory = watch.read_scopes(scopes(state, wanted)).directory
    return tuple(_checks(remote, state, directory, wanted))


def _checks(
    remote: Remote, state: ExchangeState, directory: Directory, applications: Iterable[str]
) -> Iterator[AccessCheck]:
    """What Exchange answered; empty if this tenant has no such check."""
    for application in applications:
        for mailbox, expected in probes(state, directory, application):
            match remote.verdict(mailbox, application):
                case None:
                    return
                case NotUnderstood(text):
                    yield AccessCheck(application, mailbox, expected, None, text)
                case answer:
                    yield AccessCheck(application, mailbox, expected, answer)


def scopes(state: ExchangeState, applications: Iterable[str]) -> tuple[str, ...]:
    """Object ids of the scopes to read: all scopes of these applications and of `*`, and a few
    others.
    """
    wanted = {EVERY_APPLICATION, *applications}
    own = {scope for application, scope in state.policies if application in wanted}
    others = sorted({scope for _, scope in state.policies} - own)
    return (*sorted(own), *others[:_OTHER_SCOPES])


def probes(
    state: ExchangeState, directory: Directory, application: str
) -> Iterator[tuple[str, bool]]:
    """The address of a mailbox that the policies certainly allow, and of one that they certainly
    deny, as far as each can be determined.
    """
    covers = scope_coverage(directory)

    def covering(mailbox: str) -> Callable[[str], bool | None]:
        return lambda scope: covers(scope).covers(mailbox)

    wanted = {True, False}
    for mailbox in sorted(
        filter(_is_probed, directory.recipients.values()), key=attrgetter("primary")
    ):
        verdict = mailbox_access.mailbox_verdict(state, application, covering(mailbox.id))
        expected = {Granted: True, Denied: False}.get(type(verdict))
        if expected in wanted:
            wanted.discard(expected)
            yield mailbox.primary, expected is True


def _is_probed(recipient: Recipient) -> bool:
    """Whether it is known what policies mean for a mailbox."""
    return is_mailbox(recipient) and is_governed(recipient) is True


def probes_of_policy(
    observed: Observed, policy: ExchangePolicyAddress, ask: AskExchange
) -> tuple[Probe, ...] | None:
    """Ask about one mailbox in the scope of a policy and one outside, where the members are known;
    None if there is no such check.

    Args:
        observed: the policies, and who is in their scopes.
        policy: the policy, which may be gone; its ids in lower case.
        ask: a mailbox (address) and an application (client id) to what `Remote.verdict` says.

    Raises:
        TenantFault: Exchange could not be asked.
    """
    probes = []
    for side in ProbeSide:
        mailbox = next(_mailboxes(observed, policy, side), None)
        if mailbox is None:
            probes.append(Probe(side))
            continue
        address, expected = mailbox
        match ask(address, policy.application):
            case None:
                return None
            case NotUnderstood(text):
                probes.append(Probe(side, address, expected, text=text))
            case granted:
                probes.append(Probe(side, address, expected, granted))
    return tuple(probes)


def _mailboxes(
    observed: Observed, policy: ExchangePolicyAddress, side: ProbeSide
) -> Iterator[tuple[str, bool]]:
    """Addresses of mailboxes that are surely on one side of a scope, and whether the application
    reaches each, where that is certain.
    """
    state = observed.state(ExchangeState) or _NOTHING
    coverage = scope_coverage(observed.directory)
    recipients = filter(_is_probed, observed.directory.recipients.values())
    for mailbox in sorted(recipients, key=attrgetter("primary")):
        inside = coverage(policy.scope).covers(mailbox.id)
        if inside is not (side is ProbeSide.INSIDE):
            continue

        def covering(scope: str, member: str = mailbox.id) -> bool | None:
            return coverage(scope).covers(member)

        match mailbox_access.mailbox_verdict(state, policy.application, covering):
            case Granted():
                yield mailbox.primary, True
            case Denied():
                yield mailbox.primary, False
            case _:
                pass
