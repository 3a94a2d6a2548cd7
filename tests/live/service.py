"""Both services behind the transport of the stub modules: a handler of requests, on top of the
simulated tenant.

It speaks as the modules do: rows one by one, errors as error records, an empty Exchange tenant as
an error. What goes wrong is laid out by the test: `spoil` maps a cmdlet to what it answers instead,
for so many calls.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from reconciler.audiences.verdicts import Denied, Granted
from reconciler.guids import GUID
from reconciler.kinds.exchange import mailbox_access, parse
from reconciler.kinds.exchange.scopes import scope_coverage
from reconciler.kinds.facts import facts
from reconciler.kinds.teams.parse import bare_name, granted_name
from reconciler.model.plans import Invocation
from reconciler.powershell.rendering import render
from reconciler.tenants.protocol import Done, Failed, Fault, Lost
from reconciler.tenants.simulated.exchange import ObjectNotFound
from tests.standin.stubs.stub_server import Drop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.tenants.simulated import Simulator

Item = dict[str, Any]
Request = dict[str, Any]
POLICY = "ApplicationAccessPolicy"
MODULE = "/tmp/tmpEXO_ab12.cde"  # noqa: S108  a name that the real module makes up


def output(properties: Any, name: str = "Deserialized.Object") -> Item:
    return {
        "stream": "output",
        "value": {"$type": "object", "name": name, "properties": properties},
    }


def error(
    message: str,
    *,
    kind: str = "System.Exception",
    status: int | None = None,
    retry_after: int | None = None,
    **more: Any,
) -> Item:
    exception: dict[str, Any] = {"type": kind, "message": message}
    if status is not None:
        exception["response"] = {"status": status, "retryAfter": retry_after}
    return {
        "stream": "error",
        "terminating": False,
        "id": "Probe",
        "category": "NotSpecified",
        "exception": exception,
        **more,
    }


def swallowed(message: str, **more: Any) -> Item:
    """An error that the module kept to itself; the stub modules cannot play it, so only the session
    in memory understands this one.
    """
    return {**error(message, **more), "stream": "swallowed"}


def warning(message: str) -> Item:
    return {"stream": "warning", "message": message}


THROTTLED = error(
    "Response status code does not indicate success: 429 (Too Many Requests).",
    status=429,
    retry_after=1,
)
UNAVAILABLE = error(
    "Response status code does not indicate success: 503 (Service Unavailable).", status=503
)
DENIED = error(
    "Access Denied.", kind="Microsoft.Teams.Policy.Administration.Cmdlets.Core.PolicyRpException"
)


class Service:
    """Answers requests.

    `warns` has what each call of a cmdlet warns of beside its answer.
    `seen` has every request in order; `signs_in_to` is the tenant that a credential leads to.
    """

    def __init__(self, simulator: Simulator, *, language: int = 0) -> None:
        self.simulator = simulator
        self.language = language
        self.signs_in_to = simulator.tenant_id
        self.seen: list[Request] = []
        self.before: Callable[[Request], None] = lambda _request: None
        self.warns: dict[str, list[str]] = {}
        self._spoiled: dict[str, deque[list[Item] | None]] = defaultdict(deque)

    def spoil(self, cmdlet: str, *items: Item, times: int = 1, after: int = 0) -> None:
        """Let so many calls of a cmdlet answer this, after so many that go well."""
        self._spoiled[cmdlet].extend([None] * after)
        self._spoiled[cmdlet].extend([list(items)] * times)

    def heal(self) -> None:
        """From now on everything goes well."""
        self._spoiled.clear()

    def calls(self, cmdlet: str) -> list[dict[str, Any]]:
        """The parameters of every call of a cmdlet so far."""
        return [request["parameters"] for request in self.seen if request["cmdlet"] == cmdlet]

    def __call__(self, request: Request) -> Iterable[Item]:
        answer = self._answer(request)
        warned = [warning(text) for text in self.warns.get(request["cmdlet"], ())]
        return [*answer, *warned] if warned else answer

    def _answer(self, request: Request) -> Iterable[Item]:
        self.seen.append(request)
        self.before(request)
        cmdlet = request["cmdlet"]
        spoiled = self._spoiled[cmdlet].popleft() if self._spoiled[cmdlet] else None
        if spoiled is not None:
            return spoiled
        answer = getattr(self, cmdlet.replace("-", "_").lower(), None)
        return answer(request) if answer is not None else self.write(request)

    @property
    def _world(self) -> Any:
        return self.simulator._lag.shown()

    # sessions

    def connect_microsoftteams(self, _request: Request) -> Iterator[Item]:
        yield output(
            {
                "Account": "app",
                "Environment": "AzureCloud",
                "Tenant": self.signs_in_to,
                "TenantId": self.signs_in_to,
            }
        )

    def connect_exchangeonline(self, _request: Request) -> Iterator[Item]:
        yield from ()

    def disconnect_microsoftteams(self, _request: Request) -> Iterator[Item]:
        yield from ()

    disconnect_exchangeonline = disconnect_microsoftteams

    def get_connectioninformation(self, request: Request) -> Iterator[Item]:
        for connection in request.get("connections", [{"ModuleName": MODULE}]):
            yield output(
                {
                    **connection,
                    "State": "Connected",
                    "TenantID": self.signs_in_to,
                    "Organization": "contoso.onmicrosoft.com",
                }
            )

    # Teams

    def get_csapplicationaccesspolicy(self, _request: Request) -> Iterator[Item]:
        return map(output, self._world.services["teams"].section()["policies"])

    def get_csgrouppolicyassignment(self, request: Request) -> Iterator[Item]:
        assert request["parameters"] == {"PolicyType": POLICY}
        return map(output, self._world.services["teams"].section()["groupAssignments"])

    def get_csuserpolicyassignment(self, request: Request) -> Iterator[Item]:
        name = request["parameters"]["Identity"]
        assert request["parameters"] == {"Identity": name, "PolicyType": POLICY}
        user = self._world.people.user(name)
        if user is None:
            yield error(f"[NotFound] : {name} was not found")
            return
        rows = self._world.services["teams"].assignment_of(user)
        assert rows is not None, "the test does not say who is in groups"
        yield from map(output, rows)

    def get_csonlineuser(self, request: Request) -> Iterator[Item]:
        parameters = request["parameters"]
        if "Identity" in parameters:
            user = self._world.people.user(parameters["Identity"])
            return iter(
                [error(f"[NotFound] : {parameters['Identity']} was not found")]
                if user is None
                else [output(self._user(user))]
            )
        asked = parameters["Filter"]
        holders = {
            user: row
            for user, row in self._world.services["teams"].holders.items()
            if self._world.people.user(user) is not None  # an account that is gone is not listed
            or not GUID.fullmatch(user)
        }
        if asked == f"{POLICY} -ne $null":
            return (output(self._user(user)) for user in holders)
        if one := re.fullmatch(rf"{POLICY} -eq '(.*)'", asked):
            name = one[1].lower()
            return (
                output(self._user(user))
                for user, row in holders.items()
                if bare_name(granted_name(row)).lower() == name
            )
        assert asked == "SoftDeletionTimestamp -eq $null"
        return (output(self._user(user)) for user in self._world.people.known.users)

    def _user(self, user: str) -> dict[str, Any]:
        granted = self._world.services["teams"].holders.get(user)
        if not GUID.fullmatch(user):
            return {"DisplayName": None, "SoftDeletionTimestamp": None, **granted}
        row = self._world.people.user_row(user)
        return {
            "Identity": row["id"],
            "UserPrincipalName": row["upn"],
            "DisplayName": row.get("displayName"),
            POLICY: (
                None if granted is None else {"Authority": "Tenant", "Name": granted_name(granted)}
            ),
            "SoftDeletionTimestamp": None,
        }

    # Exchange

    def get_applicationaccesspolicy(self, _request: Request) -> Iterator[Item]:
        try:
            return map(output, self._world.services["exchange"].get(self.language))
        except ObjectNotFound as fault:
            return iter([_exchange_error(str(fault), fault.exception)])

    def get_recipient(self, request: Request) -> Iterator[Item]:
        parameters, known = request["parameters"], self._world.people.known.recipients
        if "Identity" in parameters:
            found = self._world.people.recipient(parameters["Identity"])
            if several := self._world.people.known.unclear.get(parameters["Identity"].lower()):
                return (output(row) for one in several for row in self._recipients(one))
            message = (
                f"The operation couldn't be performed because object '{parameters['Identity']}'"
                " couldn't be found on 'DC'."
            )
            return iter(
                map(output, self._recipients(found.id))
                if found
                else [_exchange_error(message, "ManagementObjectNotFoundException")]
            )
        assert parameters["ResultSize"] == "Unlimited"
        if "RecipientTypeDetails" in parameters:
            return (
                output(self._recipient(one))
                for one, row in known.items()
                if row.type in parameters["RecipientTypeDetails"]
            )
        ids = re.findall(r"ExternalDirectoryObjectId -eq '([0-9a-f-]{36})'", parameters["Filter"])
        assert ids
        assert (
            " -or ".join(f"ExternalDirectoryObjectId -eq '{one}'" for one in ids)
            == parameters["Filter"]
        )
        return (output(row) for one in ids if one in known for row in self._recipients(one))

    def _recipient(self, one: str) -> dict[str, Any]:
        return self._recipients(one)[0]

    def _recipients(self, one: str) -> list[dict[str, Any]]:
        return [
            {
                "ExternalDirectoryObjectId": row["id"],
                "Guid": _guid_of(one),
                "PrimarySmtpAddress": row["primary"],
                "EmailAddresses": row.get("addresses"),
                "DisplayName": row.get("displayName"),
                "RecipientTypeDetails": row["type"],
                "IsValidSecurityPrincipal": row["isValidSecurityPrincipal"],
            }
            for row in self._world.people._rows["recipients"][one]
        ]

    def _group(self, request: Request) -> Any:
        name = request["parameters"]["Identity"]
        return next(
            one
            for one in self._world.people.known.recipients.values()
            if name in {one.id, _guid_of(one.id)}
        )

    def get_distributiongroupmember(self, request: Request) -> Iterator[Item]:
        assert request["parameters"]["ResultSize"] == "Unlimited"
        for member in sorted(self._group(request).members or ()):
            known = member in self._world.people.known.recipients
            yield output(
                self._recipient(member)
                if known
                else {"RecipientTypeDetails": "UserMailbox", "ExternalDirectoryObjectId": member}
            )

    def get_group(self, request: Request) -> Iterator[Item]:
        yield output({"Sid": self._group(request).sid})

    def test_applicationaccesspolicy(self, request: Request) -> Iterator[Item]:
        state = parse.parse(
            {"policies": list(self.simulator._world.services["exchange"]._policies.values())}
        )
        covers, mailbox = (
            scope_coverage(self._world.people.known),
            self._world.people.recipient(request["parameters"]["Identity"]).id,
        )
        verdict = mailbox_access.mailbox_verdict(
            state, request["parameters"]["AppId"], lambda scope: covers(scope).covers(mailbox)
        )
        said = {Granted: "Granted", Denied: "Denied"}.get(type(verdict), "Unknown")
        yield output(
            {
                "AppId": request["parameters"]["AppId"],
                "MailboxId": mailbox,
                "AccessCheckResult": said,
            }
        )

    # writes

    def write(self, request: Request) -> Iterator[Item]:
        """Carry out a write."""
        invocation = Invocation(
            request["cmdlet"], _as_rendered(request["cmdlet"], request["parameters"])
        )
        match self.simulator.run(invocation, render(invocation)):
            case Done():
                return iter(())
            case Failed(fault=fault, message=message):
                return iter([_refusal(invocation.cmdlet, fault, message)])
            case Lost():
                return _dropped()


def _dropped() -> Iterator[Item]:
    raise Drop
    yield


def _as_rendered(cmdlet: str, bound: dict[str, Any]) -> dict[str, Any]:
    """What was bound as the product writes it: PowerShell binds `$null` to a text parameter as an
    empty text, and a bare `-Confirm` apart.
    """
    parameters = dict(bound)
    if parameters.get("PolicyName") == "":
        parameters["PolicyName"] = None
    if cmdlet in facts("exchange").writes:
        parameters["Confirm"] = False
    return parameters


def _guid_of(one: str) -> str:
    """A recipient's GUID in Exchange is another than its object id in Entra."""
    return f"ec{one[2:]}"


def _refusal(cmdlet: str, fault: Fault, message: str) -> Item:
    if fault is Fault.THROTTLED:
        return THROTTLED
    if fault is Fault.TRANSIENT:
        return UNAVAILABLE
    if "-Cs" in cmdlet:
        return error(
            message, kind="Microsoft.Teams.Policy.Administration.Cmdlets.Core.PolicyRpException"
        )
    return error(
        message,
        kind="Microsoft.Exchange.Management.RestApiClient.RestClientException",
        reason=_named(message),
    )


def _named(message: str) -> str:
    parts = message.split("|", 2)
    return parts[1].rpartition(".")[2] if len(parts) == 3 else ""


def _exchange_error(message: str, kind: str) -> Item:
    return error(f"Ex6F9304|Microsoft.Exchange.Configuration.Tasks.{kind}|{message}", reason=kind)
