r"""The Exchange service: `*-ApplicationAccessPolicy` as its pages and public captures of its objects
describe it.

Rows are replaced, never changed: a capture that was taken keeps what it saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.errors import TenantFault
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import as_list, raw_text
from reconciler.kinds.exchange.parse import default_description, is_empty_store
from reconciler.model.documents import AccessRight
from reconciler.tenants.protocol import Done, Failed, Fault, Outcome
from reconciler.tenants.simulated.service import NamedByRows, Row, ServiceRead, ServiceReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.model.observed import Recipient
    from reconciler.tenants.simulated.moment import Moment
    from reconciler.tenants.simulated.people import SimulatedPeople

SPACE: Final = 31_500
"""Room for all policies.

With `POLICY_SPACE` it holds 300 policies whose description is a blank and about 100 that have the
service's own

description, which is all that is known of the limit (New-ApplicationAccessPolicy page).
"""
POLICY_SPACE: Final = 104
"""Room that a policy takes besides its description."""
_CONTROLLER: Final = "AM0PR05A01DC001.EURPR05A001.prod.outlook.com"
_NO_POLICIES: Final = (
    "The operation couldn't be performed because object '{}' couldn't be found on '{}'.",
    (
        "Der Vorgang konnte nicht ausgeführt werden, weil das Objekt '{}' auf '{}' nicht gefunden"
        " wurde."
    ),
)


class ObjectNotFound(Exception):
    """What the service raises, in its own words."""

    exception = "ManagementObjectNotFoundException"


class ExchangeService:
    """Policies of one tenant, by Identity."""

    def __init__(self, section: Row, people: SimulatedPeople, tenant: Row) -> None:
        self._people = people
        self._tenant = tenant
        rows = as_list(section.get("policies"), "", FaultList())
        self._policies: dict[str, Row] = {_key(row): row for row in rows}

    def section(self) -> dict[str, list[Row]]:
        """All policies, as a file keeps them."""
        return {"policies": list(self._policies.values())}

    def get(self, language: int) -> list[Row]:
        """Get-ApplicationAccessPolicy.

        Raises:
            ObjectNotFound: there is no policy at all; the sentence is English or German
                (Microsoft365DSC issues 687 and 2998).
        """
        if self._policies:
            return list(self._policies.values())
        store = (
            rf"OU={self._tenant.get('organization')},OU=Microsoft Exchange Hosted"
            r" Organizations,DC=EURPR05A001,DC=prod,DC=outlook,DC=com\*"
        )
        raise ObjectNotFound(_NO_POLICIES[language % len(_NO_POLICIES)].format(store, _CONTROLLER))

    @property
    def writes(self) -> Mapping[str, Callable[[Moment], Outcome]]:
        """The cmdlets that write."""
        return {
            "New-ApplicationAccessPolicy": self.new,
            "Set-ApplicationAccessPolicy": self.set,
            "Remove-ApplicationAccessPolicy": self.remove,
        }

    def read(self, seed: int) -> ServiceReading:
        """All policies; the error of an empty store means that there are none."""
        try:
            policies = self.get(seed)
        except ObjectNotFound as fault:
            if not is_empty_store(fault.exception, str(fault)):
                raise TenantFault(f"SIMULATED TENANT: {fault}") from fault
            policies = []
        reads = (ServiceRead("Get-ApplicationAccessPolicy", {}, len(policies)),)
        return ServiceReading({"policies": policies}, reads)

    def effective(self, users: Iterable[str], clock: str) -> Sequence[Row]:  # noqa: ARG002
        """Nothing: its policies are not assigned to users."""
        return ()

    def named(self) -> NamedByRows:
        """The scopes of all policies."""
        scopes = tuple(identity.rpartition(";")[2] for identity in self._policies)
        return NamedByRows(scopes=scopes)

    def new(self, moment: Moment) -> Outcome:
        """New-ApplicationAccessPolicy: one object for each application of the call.

        The refusal of a double is seen in scripts, its text is not.
        """
        scope = self._people.recipient(moment.text("PolicyScopeGroupId"))
        if scope is None:
            return _not_found(moment.text("PolicyScopeGroupId"))
        if not scope.principal:
            return Failed(
                Fault.SCOPE_INVALID,
                "||The identity of the policy scope is not a security principal.",
            )
        made: dict[str, Row] = {}
        for application in _applications(moment):
            row = self._row(application, scope, moment)
            identity = row["Identity"].lower()
            if identity in self._policies or identity in made:
                return Failed(Fault.EXISTS, f"||The object '{row['Identity']}' already exists.")
            made[identity] = row
        return self._stored({**self._policies, **made})

    def set(self, moment: Moment) -> Outcome:
        """Set-ApplicationAccessPolicy: of all properties only the description can be changed."""
        identity = moment.text("Identity").lower()
        row = self._policies.get(identity)
        if row is None:
            return _not_found(moment.text("Identity"))
        changed = (
            {"Description": moment.text("Description")}
            if "Description" in moment.parameters
            else {}
        )
        return self._stored({**self._policies, identity: {**row, **changed}})

    def remove(self, moment: Moment) -> Outcome:
        """Remove-ApplicationAccessPolicy."""
        if self._policies.pop(moment.text("Identity").lower(), None) is None:
            return _not_found(moment.text("Identity"))
        return Done()

    def _stored(self, policies: dict[str, Row]) -> Outcome:
        if sum(map(_space, policies.values())) > max(
            SPACE, sum(map(_space, self._policies.values()))
        ):
            return Failed(
                Fault.STORE_FULL, "||The total size of App Access Policies exceeded the limit."
            )
        self._policies = policies
        return Done()

    def _organization(self) -> str:
        """As the other policies spell it; what the first policy of a tenant is filed under is
        inferred.
        """
        spelled = (
            identity.partition("\\")[0]
            for row in self._policies.values()
            if isinstance(identity := row.get("Identity"), str) and "\\" in identity
        )
        return str(next(spelled, self._tenant["tenantId"]))

    def _row(self, application: str, scope: Recipient, moment: Moment) -> Row:
        sid = scope.sid or f"S-1-5-21-0-0-0-{int(scope.id[:8], 16)}"
        right = AccessRight(moment.text("AccessRight"))
        described = "Description" in moment.parameters
        return {
            "ScopeName": scope.display_name,
            "ScopeIdentity": scope.display_name,
            "Identity": f"{self._organization()}\\{application}:{sid};{scope.id}",
            "AppId": application,
            "ScopeIdentityRaw": f"{sid};{scope.id}",
            "Description": (
                moment.text("Description")
                if described
                else default_description(application, sid, scope.id, right)
            ),
            "AccessRight": right.value,
            "ShardType": "All",
            "IsValid": True,
            "ObjectState": "Unchanged",
        }


def _applications(moment: Moment) -> list[str]:
    value = moment.parameters.get("AppId")
    return [
        str(item)
        for item in as_list(list(value) if isinstance(value, tuple) else value, "", FaultList())
    ]


def _key(row: Row) -> str:
    """What a policy is found by; of one whose Identity is not a string, all of it."""
    identity = row.get("Identity")
    return identity.lower() if isinstance(identity, str) else raw_text(row)


def _space(row: Row) -> int:
    return POLICY_SPACE + len(str(row.get("Description") or ""))


def _not_found(name: str) -> Failed:
    return Failed(
        Fault.NOT_FOUND,
        "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The"
        f" operation couldn't be performed because object '{name}' couldn't be found on"
        f" '{_CONTROLLER}'.",
    )
