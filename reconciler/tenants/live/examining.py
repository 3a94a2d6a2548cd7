"""Examining everything that a live tenant needs, step by step, without writing anything: the report
of `reconciler doctor`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.errors import TenantFault
from reconciler.kinds.capture_rows import shown
from reconciler.kinds.facts import facts
from reconciler.kinds.read_warnings import read_warning
from reconciler.model.addresses import PROVIDERS
from reconciler.model.live_limits import PLAIN_NAMES
from reconciler.model.requests import CaptureRequest
from reconciler.powershell.answers import NotFound
from reconciler.powershell.door.requirements import install_line, missing
from reconciler.powershell.door.starting import not_chosen
from reconciler.powershell.faults import DoorFault, OperationFailed, SessionLost
from reconciler.processes.programs import NotChosen, told
from reconciler.tenants.live import questions
from reconciler.tenants.live.asking import Ask
from reconciler.tenants.live.lines import Patience, SessionLine
from reconciler.tenants.live.opening import (
    Opened,
    connection,
    difference,
    signed_in,
)
from reconciler.tenants.live.readings import live_reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.addresses import Provider
    from reconciler.model.target_tenant import TargetTenant
    from reconciler.powershell.connecting import Connection
    from reconciler.powershell.session import Resolved, Session
    from reconciler.processes.programs import Choice
    from reconciler.tenants.live.opening import Start
    from reconciler.tenants.live.questions import TenantQuestion

_ONCE: Final = Patience(throttled=(), passing=())


class Health(StrEnum):
    """The state of one thing.

    A warning keeps something from being done or told; a fault keeps everything of its product from
    it.
    """

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Check(Struct, frozen=True):
    """One thing that was looked at: a product, or `pwsh`; what it is; its state; what was
    found; what to do (empty if nothing).
    """

    about: str
    what: str
    health: Health
    found: str
    remedy: str = ""


def examine_tenant(
    settings: TargetTenant | None, begin: Start, products: Sequence[Provider] = PROVIDERS
) -> Iterator[Check]:
    """Look at PowerShell, and for each product at module, credentials, sign-in, tenant, cmdlets and
    roles.

    Args:
        settings: which tenant and how to sign in; None: there is no Tenant document, so only what
            is installed is looked at.
        begin: starts PowerShell.
        products: which products.
    """
    yield _program(begin.program())
    for provider in products:
        yield from _Examination(settings, begin, provider).checks()


def _program(choice: Choice) -> Check:
    """Which PowerShell is started, and why not another one."""
    if isinstance(choice, NotChosen):
        remedy = "do what this line says, then run `reconciler doctor` again"
        return Check("pwsh", "program", Health.FAULT, not_chosen(choice), remedy)
    passed = f"; not taken: {told(choice.passed)}" if choice.passed else ""
    line = f"{choice.program} (from {choice.by}){passed}"
    if choice.replaceable:
        line += f"; every user of this machine may write to {choice.replaceable}"
        return Check("pwsh", "program", Health.WARNING, line, _REPLACEABLE)
    return Check("pwsh", "program", Health.OK, line)


class _Examination:
    """One product, in a process of its own: the modules do not live together in one."""

    def __init__(self, settings: TargetTenant | None, begin: Start, provider: Provider) -> None:
        self._settings, self._begin, self._provider = settings, begin, provider
        self._facts = facts(provider)

    def checks(self) -> Iterator[Check]:
        """Every check, as far as an earlier one does not prevent it."""
        chosen, credentials = self._credentials()
        try:
            session = self._begin.bare() if chosen is None else self._begin(chosen)
        except (DoorFault, SessionLost) as fault:
            yield self._fault(
                "PowerShell",
                str(fault),
                "do what this line says, then run `reconciler doctor` again",
            )
            yield credentials
            return
        try:
            yield self._ok("PowerShell", session.powershell)
            yield from self._inside(session, chosen, credentials)
        except (SessionLost, OperationFailed) as fault:
            yield self._fault(
                "PowerShell",
                str(fault),
                (
                    "run `reconciler doctor` again; if the problem persists, run the module"
                    " by hand in pwsh"
                ),
            )
        finally:
            session.close()

    def _inside(
        self, session: Session, chosen: Connection | None, credentials: Check
    ) -> Iterator[Check]:
        module = self._module(session)
        yield module
        yield credentials
        if chosen is None or module.health is not Health.OK:
            return
        needed = (*self._facts.reads, *self._facts.writes)
        try:
            module_of_cmdlets = signed_in(session, chosen.importing(needed))
        except (TenantFault, DoorFault) as fault:
            yield self._fault("sign-in", str(fault), _sign_in(self._provider))
            return
        yield self._ok("sign-in", f"to tenant {chosen.tenant_id} with {chosen.method.value}")
        yield from self._cmdlets(session, module_of_cmdlets, needed)

    def _module(self, session: Session) -> Check:
        name, least = self._facts.module, self._facts.minimum
        loaded = session.load(name, minimum=least)
        if isinstance(loaded, NotFound):
            return self._fault(
                "module", missing(loaded, minimum=least), install_line(name, minimum=least)
            )
        return self._ok("module", f"{loaded.name} {loaded.version} (known: {self._facts.versions})")

    def _credentials(self) -> tuple[Connection | None, Check]:
        if self._settings is None:
            return None, self._fault(
                "credentials",
                "Tenant document not found",
                "pass its folder: `reconciler doctor PATH`",
            )
        try:
            chosen = connection(self._settings, self._provider, self._begin.environment)
        except DoorFault as fault:
            return None, self._fault(
                "credentials",
                str(fault),
                "set what is named, in the environment that runs reconciler",
            )
        return chosen, self._ok("credentials", f"{chosen.method.value}, all variables are set")

    def _cmdlets(self, session: Session, module: str, needed: Sequence[str]) -> Iterator[Check]:
        resolved = session.resolve(needed, [module])
        for name in needed:
            yield self._cmdlet(name, resolved[name])
        allowed = frozenset(
            name for name, cmdlet in resolved.items() if difference(name, cmdlet) is None
        )
        tried = live_reading(self._provider).tried
        if tried.cmdlet in allowed:
            yield from self._reading(Opened(session, allowed, None), tried)

    def _cmdlet(self, name: str, resolved: Resolved | None) -> Check:
        fault = difference(name, resolved)
        if fault is None:
            return self._ok(name, "available, with every parameter that is used")
        reads, writes = self._facts.roles
        if resolved is not None:
            return self._fault(
                name,
                fault,
                f"install a version of the module that is known: {self._facts.versions}",
            )
        if name in questions.SPARED:
            return Check(
                self._provider,
                name,
                Health.WARNING,
                f"{fault}: {_SPARED[name]}",
                f"give the account the role {reads}",
            )
        if name in self._facts.writes:
            return Check(
                self._provider,
                name,
                Health.WARNING,
                f"{fault}: this account can plan but not apply",
                f"to apply, the role {writes} is needed",
            )
        return self._fault(name, fault, f"give the account the role {reads}")

    def _reading(self, opened: Opened, question: TenantQuestion) -> Iterator[Check]:
        """One real reading. The Teams module has every cmdlet whatever the account may do; only the
        service refuses.
        """
        line = SessionLine(self._provider, lambda: opened, _ONCE)
        try:
            reading = line.ask(question)
        except TenantFault as fault:
            yield self._fault(
                "reading",
                str(fault),
                f"give the account the role {self._facts.roles[0]}; it may take an hour to take"
                " effect",
            )
            return
        if reading.warnings:
            yield Check(
                self._provider,
                "reading",
                Health.WARNING,
                f"{question.cmdlet} warned: {shown(reading.warnings[0])}",
                "find out what it means; if every policy was read all the same, consent with"
                f" --allow {read_warning(self._provider)}",
            )
            return
        yield self._ok("reading", f"found {len(reading.rows)} policies")
        names = live_reading(self._provider).unqueried(reading.rows)
        if names:
            yield self._names(line, names)

    def _names(self, line: SessionLine, names: Sequence[str]) -> Check:
        """Whether the product can be read although it has names of which it cannot be asked: only a
        whole reading tells.
        """
        request = CaptureRequest(products=frozenset({self._provider}))
        ask = Ask(line, "", lambda: "")
        try:
            live_reading(self._provider).read(ask, request, lambda: False)
        except TenantFault as fault:
            return self._fault("policy names", str(fault), _NAMES)
        detail = (
            f"the holders of {', '.join(map(shown, names))} cannot be queried by name: they are read"
            " in one way only"
        )
        return Check(self._provider, "policy names", Health.WARNING, detail, _NAMES)

    def _ok(self, subject: str, detail: str) -> Check:
        return Check(self._provider, subject, Health.OK, detail)

    def _fault(self, subject: str, detail: str, remedy: str) -> Check:
        return Check(self._provider, subject, Health.FAULT, detail, remedy)


_REPLACEABLE: Final = (
    "whoever may write there can replace the program: remove that right (`chmod o-w`), or make sure"
    " that nobody else uses this machine"
)
_NAMES: Final = f"give new policies names of {PLAIN_NAMES}; these can be managed and deleted"
_SPARED: Final[Mapping[str, str]] = {
    questions.EFFECTIVE: (
        "access tests and questions about members of groups stay undecided in Teams"
    ),
    questions.CHECK: "after an apply, Exchange cannot be asked whether it sees the new policies",
    "Get-Group": ("the SID of a guard scope is unknown, so plans that need a guard are refused"),
}


def _sign_in(provider: Provider) -> str:
    """What an application needs before it can sign in."""
    product = facts(provider)
    return (
        f"the application needs the permission {product.permission}, consented, and one of the"
        f" roles {' or '.join(product.roles)}"
    )
