"""Who is reached by which application: verdicts for one pair, symbolic sets for a whole tenant, and
what a transition changes. Pure.
"""
