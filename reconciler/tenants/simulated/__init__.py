r"""A simulated tenant: both services with their documented behaviour, in one JSON file.

The file holds what a capture holds, without `reads` and `complete`, and a clock:

    {
      "format_version": "1.0",
      "tenant": {"tenantId": GUID, "organization": "contoso.onmicrosoft.com"},
      "clock": "2026-11-02T09:00:00Z",
      "teams": {"policies": [...], "groupAssignments": [...], "users": [...]},
      "exchange": {"policies": [...]},
      "directory": {"users": [...], "groups": [...], "recipients": [...]}
    }

Rows are the services' own objects; their shapes and examples are in
`schemas/capture.schema.json`. The directory is everybody there is: who is not in it cannot be
granted anything and cannot be a scope. The clock moves by `WRITE_TAKES` with every write and never
otherwise, so that captures and plans can be reproduced. A capture of everything may itself serve as
such a file.
"""

from reconciler.tenants.simulated.faults import Faults, Mishap
from reconciler.tenants.simulated.simulator import Simulator, bundled

__all__ = ["Faults", "Mishap", "Simulator", "bundled"]
