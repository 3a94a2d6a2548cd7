"""A simulated tenant behind the same door as a live one."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self, assert_never

from reconciler import __version__
from reconciler.errors import CaptureFault, RefusedText, TenantFault
from reconciler.kinds.exchange.parse import is_empty_store
from reconciler.kinds.products import PRODUCTS
from reconciler.kinds.teams.parse import POLICY_TYPE
from reconciler.model.addresses import PROVIDERS
from reconciler.model.plans import Invocation
from reconciler.powershell.catalogue import bind
from reconciler.tenants.protocol import Done, Failed, Outcome
from reconciler.tenants.simulated.exchange import ObjectNotFound
from reconciler.tenants.simulated.faults import NO_ANSWER, REFUSALS, Dice, Faults, Mishap
from reconciler.tenants.simulated.lag import Lag
from reconciler.tenants.simulated.storing import SMALL, Store
from reconciler.tenants.simulated.world import World, world

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Origin
    from reconciler.tenants.protocol import CaptureRequest


def bundled() -> Traversable:
    """The tenant that the package brings along."""
    return files("reconciler.tenants") / "contoso.json"


class Simulator:
    """Implements `tenants.protocol.Tenant` on a file.

    Args:
        path: the tenant's file; the first write makes it if it is not there.
        seed_from: what the tenant is as long as `path` does not exist.
        faults: what goes wrong; None: nothing.
        log_from: size of the file in bytes from which a log is kept beside it.

    Raises:
        TenantFault: there is no such tenant, or its file cannot be used.
    """

    source: Origin = "simulated"

    def __init__(
        self,
        path: Path,
        *,
        seed_from: Path | Traversable | None = None,
        faults: Faults | None = None,
        log_from: int = SMALL,
    ) -> None:
        self._faults = faults or Faults()
        self._dice = Dice(self._faults)
        self._path = path
        self._store = Store(path, seed_from, log_from)
        self._world = self._loaded(path)
        self._lag = Lag(self._world, self._faults)
        self._captures = 0
        self._unknown: TenantFault | None = None

    @property
    def tenant_id(self) -> str:
        """The simulated tenant's id, lower-case."""
        return str(self._world.tenant["tenantId"]).lower()

    def capture(self, request: CaptureRequest) -> Mapping[str, Json]:
        """Read what the services show at this moment. See `Tenant.capture`."""
        self._captures += 1
        if self._unknown is not None:
            raise self._unknown
        if self._captures in self._faults.incomplete_captures:
            raise TenantFault(
                "SIMULATED TENANT: the reading broke off: (503) Server Unavailable. Try again."
            )
        shown = self._lag.shown()
        sections: dict[str, Json] = {
            name: _section(name, shown, self._faults.seed)
            if name in request.products
            else _unread(name)
            for name in PROVIDERS
        }
        scopes = shown.exchange.scopes() if "exchange" in request.products else ()
        users, groups = (
            (shown.teams.holders, _group_ids(shown)) if "teams" in request.products else ((), ())
        )
        return {
            "format_version": "1.0",
            "simulated": True,
            "tool": f"reconciler {__version__}",
            "tenant": shown.tenant,
            "taken_at": self._world.clock,
            **sections,
            "directory": shown.people.seen(request, users, groups, tuple(scopes)),
        }

    def run(self, invocation: Invocation, text: str) -> Outcome:
        """Run one write. See `Tenant.run`.

        Raises:
            RefusedText: the text is not exactly this invocation, or its cmdlet writes nothing.
            BindingFault: PowerShell would not bind it.
            TenantFault: the write cannot be stored.
        """
        from reconciler.powershell.reading import (  # noqa: PLC0415
            read,
            same_invocation,
        )

        parsed = read(text)
        if not same_invocation(parsed, invocation):
            raise RefusedText(
                f"the text of {invocation.cmdlet} does not say what its step says: nothing was run"
            )
        bind(parsed)
        mishap = self._dice.mishap(parsed.cmdlet, text)
        if isinstance(mishap, Failed):
            return mishap
        if mishap is not None and (refusal := REFUSALS.get(mishap)):
            return refusal
        if mishap is Mishap.LOST_BEFORE:
            return NO_ANSWER
        outcome = self._written(parsed)
        return NO_ANSWER if mishap is Mishap.LOST_AFTER else outcome

    def close(self) -> None:
        """Make one file of file and log. Leaving it out loses nothing."""
        if self._store.has_log:
            self._store.settle(self._world.state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _written(self, invocation: Invocation) -> Outcome:
        outcome = self._world.write(invocation, self._faults)
        if isinstance(outcome, Done):
            entry: Json = {
                "cmdlet": invocation.cmdlet,
                "parameters": invocation.parameters,
                "ordinal": self._faults.ordinal_removal,
            }
            try:
                self._store.commit(entry, self._world.state)
            except TenantFault:
                self._forget()
                raise
            self._lag.written(invocation, self._dice.lag())
        return outcome

    def _forget(self) -> None:
        """What could not be stored has not happened: the tenant is what its file says, and if that
        cannot be read, nothing that anybody knows.
        """
        try:
            self._world = self._loaded(self._path)
        except TenantFault as fault:
            self._unknown = fault
        self._lag = Lag(self._world, self._faults)

    def _loaded(self, path: Path) -> World:
        content, entries = self._store.load()
        try:
            loaded = world(content, str(path))
        except CaptureFault as fault:
            raise TenantFault(f"{fault}") from fault
        for number, entry in enumerate(entries, 2):
            if not _repeated(entry, loaded):
                raise TenantFault(
                    f"{path}.log:{number}: does not follow from {path.name}: delete the log, the"
                    " writes in it are lost"
                )
        return loaded


def _repeated(entry: Mapping[str, Any], loaded: World) -> bool:
    """Whether a write of the log could be carried out again."""
    try:
        outcome = loaded.write(
            Invocation(entry["cmdlet"], entry["parameters"]),
            Faults(ordinal_removal=entry["ordinal"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError, RefusedText):
        return False
    return isinstance(outcome, Done)


def _teams(shown: World) -> dict[str, Json]:
    section = shown.teams.section()
    reads = [
        _read("Get-CsApplicationAccessPolicy", {}, len(section["policies"]), shown),
        _read(
            "Get-CsGroupPolicyAssignment",
            {"PolicyType": POLICY_TYPE},
            len(section["groupAssignments"]),
            shown,
        ),
        _read(
            "Get-CsOnlineUser", {"Filter": f"{POLICY_TYPE} -ne $null"}, len(section["users"]), shown
        ),
    ]
    return {"complete": True, "tenantId": shown.tenant["tenantId"], "reads": reads, **section}


def _exchange(shown: World, language: int) -> dict[str, Json]:
    try:
        policies = shown.exchange.get(language)
    except ObjectNotFound as fault:
        if not is_empty_store(fault.exception, str(fault)):
            raise TenantFault(f"SIMULATED TENANT: {fault}") from fault
        policies = []
    reads = [_read("Get-ApplicationAccessPolicy", {}, len(policies), shown)]
    return {
        "complete": True,
        "tenantId": shown.tenant["tenantId"],
        "reads": reads,
        "policies": policies,
    }


def _read(cmdlet: str, parameters: Mapping[str, Json], count: int, shown: World) -> dict[str, Json]:
    return {"cmdlet": cmdlet, "parameters": parameters, "count": count, "taken_at": shown.clock}


def _section(provider: Provider, shown: World, language: int) -> dict[str, Json]:
    """A product's section of a capture."""
    match provider:
        case "teams":
            return _teams(shown)
        case "exchange":
            return _exchange(shown, language)
        case _:
            assert_never(provider)


def _unread(provider: Provider) -> dict[str, Json]:
    """A product's section of a capture that did not ask for it."""
    return {"complete": False, "reads": [], **{rows.key: [] for rows in PRODUCTS[provider].lists}}


def _group_ids(shown: World) -> tuple[str, ...]:
    return tuple(row["GroupId"].lower() for row in shown.teams.groups)
