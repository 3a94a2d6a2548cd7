"""A capture is one complete, dated reading of a tenant.

Here it becomes observed state, or an error: never an empty tenant.
"""
