"""One room per provider: everything about its kinds of objects.

Rooms in here never import each other.
"""
