"""Documents and a reading of the tenant become an ordered, guarded plan; and a plan becomes a file
and back.
"""
