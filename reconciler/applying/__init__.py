"""Run the steps of one approved plan, journalled, under the tenant's lock, and say whether the
tenant shows the result.
"""
