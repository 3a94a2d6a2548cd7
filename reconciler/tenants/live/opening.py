"""Opening a session: module, sign-in, tenant, cmdlets, in this order; nothing else happens before
the tenant is the right one.
"""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.errors import TenantFault
from reconciler.kinds.capture_rows import shown
from reconciler.kinds.facts import facts
from reconciler.model.plans import Invocation
from reconciler.powershell import rendering
from reconciler.powershell.connecting import connections
from reconciler.powershell.door.requirements import required
from reconciler.powershell.door.starting import chosen_program
from reconciler.powershell.faults import DoorFault, OperationFailed, SessionLost
from reconciler.powershell.session import start_session
from reconciler.tenants.live import questions
from reconciler.tenants.live.classes import PASSING, ErrorClass, advised, meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.target_tenant import TargetTenant
    from reconciler.powershell.connecting import Connection
    from reconciler.powershell.session import Resolved, Session
    from reconciler.processes.programs import Choice

_PASSING: Final = PASSING - {ErrorClass.EXPIRED}
"""Classes of errors after which signing in again may succeed; a credential that has ended stays so.
"""


class NotNow(TenantFault):
    """Signing in failed with a transient error."""


class Opened(Struct, frozen=True):
    """A session that leads to the right tenant.

    `allowed`: cmdlets that are there. `lasts_until`: unix seconds, None if nothing ends it.
    """

    session: Session
    allowed: frozenset[str]
    lasts_until: int | None


class Start(Struct, frozen=True):
    """Starts PowerShell for a connection.

    `environment` is this process's; `show` gets what it prints while a person signs in with a code.
    `reads`: paths of documents, of a plan, from whose repository nothing is started.
    """

    environment: Mapping[str, str]
    show: Callable[[str], None] | None = None
    reads: tuple[Path, ...] = ()

    def __call__(self, connection: Connection) -> Session:
        """Start it.

        Raises:
            DoorFault, SessionLost: as `powershell.session.start_session`.
        """
        return start_session(
            environment=self.environment,
            reads=self.reads,
            pass_on=connection.pass_on,
            show=self.show,
        )

    def bare(self) -> Session:
        """Start it to look at what is installed, without signing in to anything.

        Raises:
            DoorFault, SessionLost: as `powershell.session.start_session`.
        """
        return start_session(environment=self.environment, reads=self.reads)

    def program(self) -> Choice:
        """Which program it starts."""
        return chosen_program(self.environment, self.reads)


def needed_cmdlets(provider: Provider, *, writes: bool) -> tuple[str, ...]:
    """The cmdlets that a session needs; one that only reads cannot call any other."""
    return facts(provider).reads + (facts(provider).writes if writes else ())


def connection(
    settings: TargetTenant, provider: Provider, environment: Mapping[str, str]
) -> Connection:
    """How to sign in to one product; what the other one needs does not have to be there.

    Raises:
        DoorFault: the document does not say, or a variable is not set.
    """
    if provider not in settings.connect:
        raise DoorFault(
            f"the Tenant document does not say how to sign in to {provider}: add"
            f" `spec.connect.{provider}` (`reconciler schema Tenant`)"
        )
    chosen = {key: settings.connect[key] for key in ("cloud", provider) if key in settings.connect}
    return connections(chosen, settings.tenant_id, settings.organization, environment)[provider]


def open_session(
    settings: TargetTenant, provider: Provider, begin: Start, *, writes: bool
) -> Opened:
    """Open a session.

    Raises:
        TenantFault: anything is missing or refused; the message says what to do.
    """
    try:
        chosen = connection(settings, provider, begin.environment)
        session = begin(chosen)
    except (DoorFault, SessionLost) as fault:
        raise TenantFault(f"{provider}: {fault}") from fault
    try:
        return _prepared(session, chosen, needed_cmdlets(provider, writes=writes))
    except BaseException as fault:
        session.close()
        if isinstance(fault, DoorFault | SessionLost | OperationFailed):
            raise TenantFault(f"{provider}: {fault}") from fault
        raise


def _prepared(session: Session, chosen: Connection, names: Sequence[str]) -> Opened:
    required(session, chosen.module, minimum=facts(chosen.provider).minimum)
    module = signed_in(session, chosen.importing(names))
    resolved = session.resolve(names, [module])
    expect(chosen.provider, resolved)
    allowed = frozenset(
        name for name, cmdlet in resolved.items() if difference(name, cmdlet) is None
    )
    return Opened(session, allowed, chosen.lasts_until)


def signed_in(session: Session, chosen: Connection) -> str:
    """Sign in, and make sure that it is to the right tenant; return the module that holds the
    cmdlets.

    Raises:
        TenantFault: refused, or another tenant.
    """
    try:
        output = session.connect(chosen)["output"]
    except OperationFailed as fault:
        error_class = meaning(fault.error, chosen.cmdlet)
        passes = error_class in _PASSING and not chosen.interactive
        raise (NotNow if passes else TenantFault)(
            f"{chosen.provider}: signing in with {chosen.method.value} was refused:"
            f" {advised(error_class, fault.error.message)}; `reconciler doctor` checks the way to sign in"
        ) from fault
    sessions = facts(chosen.provider).sign_in.sessions
    if sessions is None:
        return _module_of_output(output, chosen)
    return _module_of_session(session, sessions, chosen)


def _module_of_output(output: Json, chosen: Connection) -> str:
    rows = [row for row in output if isinstance(row, dict)] if isinstance(output, list) else []
    tenants = {
        str(tenant).lower() for row in rows if (tenant := row.get("TenantId") or row.get("Tenant"))
    }
    _expect_tenant(tenants, chosen)
    return chosen.module


def _module_of_session(session: Session, sessions: str, chosen: Connection) -> str:
    """After signing in, the cmdlets are in a module that was made for this session; only this
    cmdlet tells which.
    """
    session.resolve([sessions], [chosen.module])
    call = Invocation(sessions, {})
    tenant = facts(chosen.provider).sign_in.tenant_property
    answer = session.run(call, rendering.render(call), select=(tenant, "State", "ModuleName"))
    if answer.errors:
        raise TenantFault(f"{chosen.provider}: {sessions} failed: {answer.errors[0].message}")
    connected = [row for row in answer.objects if row.get("State") == "Connected"]
    _expect_tenant({str(row.get(tenant)).lower() for row in connected}, chosen)
    module = connected[-1].get("ModuleName")
    if not isinstance(module, str) or not module:
        raise TenantFault(
            f"{chosen.provider}: {sessions} does not return the module of the cmdlets:"
            " `reconciler doctor` shows which versions are known"
        )
    return _last_part(module)


def _expect_tenant(tenants: set[str], chosen: Connection) -> None:
    if tenants != {chosen.tenant_id.lower()}:
        where = " and ".join(sorted(shown(tenant) for tenant in tenants)) or "an unnamed tenant"
        raise TenantFault(
            f"{chosen.provider}: expected tenant {chosen.tenant_id}, but the credential is for"
            f" {where}: nothing was read or written. Correct `tenantId` of the Tenant document,"
            " or the variables that `spec.connect` names"
        )


def _last_part(path: str) -> str:
    """A module's name: the folder's, on whichever system the process runs."""
    return (PureWindowsPath(path) if "\\" in path else PurePosixPath(path)).name


def expect(provider: Provider, resolved: Mapping[str, Resolved | None]) -> None:
    """Compare installed cmdlets with the ones that this tool was made for.

    Raises:
        TenantFault: one that it cannot do without is missing, or one lacks a parameter; names all
            of them.
    """
    faults = [
        fault
        for name, cmdlet in resolved.items()
        if (fault := difference(name, cmdlet)) and name not in questions.SPARED
    ]
    if not faults:
        return
    reads, writes = facts(provider).roles
    raise TenantFault(
        f"{provider}: {'; '.join(faults)}. A cmdlet that is missing was not imported because the"
        f" account lacks its role (reading: {reads}, writing: {writes}); `reconciler doctor` shows"
        " each"
    )


def difference(name: str, resolved: Resolved | None) -> str | None:
    """How an installed cmdlet differs from the catalogue; None if it is usable."""
    if resolved is None:
        return f"{name} is missing"
    lacking = sorted(rendering.written_parameters(name) - resolved.parameters)
    return (
        f"{name} of version {resolved.version} has no parameter {' or '.join(lacking)}"
        if lacking
        else None
    )
