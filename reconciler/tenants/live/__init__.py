"""A live tenant: readings and writes through PowerShell.

What is read is complete, or it is an error (law 1).
"""

from reconciler.tenants.live.lines import Patience, Progress
from reconciler.tenants.live.live import Live
from reconciler.tenants.live.opening import Start

__all__ = ["Live", "Patience", "Progress", "Start"]
