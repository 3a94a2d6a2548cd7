"""A simulated tenant behind the same interface as a live one."""

from __future__ import annotations

from importlib.resources import files
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from reconciler import __version__
from reconciler.errors import CaptureFault, RefusedText, TenantFault
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import PROVIDERS
from reconciler.model.plans import Invocation
from reconciler.powershell.catalogue import bind
from reconciler.tenants.protocol import Done, Failed, NotUnderstood, Outcome
from reconciler.tenants.simulated.faults import NO_ANSWER, REFUSALS, Dice, Faults, Mishap
from reconciler.tenants.simulated.lag import Lag
from reconciler.tenants.simulated.storing import SMALL, Store
from reconciler.tenants.simulated.world import World, world

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Origin
    from reconciler.tenants.protocol import CaptureRequest


def bundled() -> Traversable:
    """The tenant that comes with the package."""
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
        self._catch_up()
        if self._unknown is not None:
            raise self._unknown
        if self._captures in self._faults.incomplete_captures:
            raise TenantFault(
                "SIMULATED TENANT: the reading was interrupted: (503) Server"
                " Unavailable. Try again."
            )
        shown = self._lag.shown()
        sections: dict[str, Json] = {
            name: _section(name, shown, self._faults.seed, request.effective)
            if name in request.products
            else _unread(name)
            for name in PROVIDERS
        }
        named = [each.named() for name, each in shown.services.items() if name in request.products]
        return {
            "format_version": "1.0",
            "simulated": True,
            "tool": f"reconciler {__version__}",
            "tenant": shown.tenant,
            "taken_at": self._world.clock,
            **sections,
            "directory": shown.people.seen(
                request,
                chain.from_iterable(rows.users for rows in named),
                chain.from_iterable(rows.groups for rows in named),
                chain.from_iterable(rows.scopes for rows in named),
            ),
        }

    def run(self, invocation: Invocation, text: str) -> Outcome:
        """Run one write. See `Tenant.run`.

        Raises:
            RefusedText: the text is not exactly this invocation, or its cmdlet writes nothing.
            BindingFault: PowerShell would not bind it.
            TenantFault: the write cannot be stored, or what somebody else wrote not be read.
        """
        from reconciler.powershell.reading import (  # noqa: PLC0415
            read_invocation,
            same_invocation,
        )

        parsed = read_invocation(text)
        if not same_invocation(parsed, invocation):
            raise RefusedText(
                f"the text of {invocation.cmdlet} does not match its step: nothing was run"
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

    def verdict(self, mailbox: str, application: str) -> bool | NotUnderstood:
        """Test-ApplicationAccessPolicy: what the policies mean for a mailbox, as soon as they are
        written. See `Remote.verdict`.
        """
        from reconciler.tenants.simulated.access_check import policy_verdict  # noqa: PLC0415  seldom asked

        return policy_verdict(self._world, mailbox, application)

    def close(self) -> None:
        """Merge file and log into one file. Nothing is lost without it."""
        if self._store.has_log and not self._store.is_stale:
            self._store.settle(self._world.state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _catch_up(self) -> None:
        """The file is the tenant: what somebody else wrote into it is there, for readings and under
        what is written next.
        """
        if self._store.is_stale:
            self._forget()

    def _written(self, invocation: Invocation) -> Outcome:
        self._catch_up()
        if self._unknown is not None:
            raise self._unknown
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
        """Load the tenant again: it is what its file says, or unknown if the file cannot be read."""
        self._unknown = None
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
                    f"{path}.log:{number}: does not follow from {path.name}: delete the log; the"
                    " writes in it will be lost"
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


def _section(
    provider: Provider, shown: World, seed: int, effective: Sequence[str]
) -> dict[str, Json]:
    """A product's section of a capture; `effective`: users whose effective assignment is asked."""
    service = shown.services[provider]
    reading = service.read(seed)
    answers = service.effective(effective, shown.clock)
    return {
        "complete": True,
        "tenantId": shown.tenant["tenantId"],
        "reads": [
            {
                "cmdlet": read.cmdlet,
                "parameters": read.parameters,
                "count": read.count,
                "taken_at": shown.clock,
            }
            for read in reading.reads
        ],
        **reading.rows,
        **({"effective": answers} if answers else {}),
    }


def _unread(provider: Provider) -> dict[str, Json]:
    """A product's section of a capture that did not ask for it."""
    return {"complete": False, "reads": [], **{rows.key: [] for rows in PRODUCTS[provider].lists}}
