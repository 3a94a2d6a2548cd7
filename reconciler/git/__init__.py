"""git as a source: objects are read, nothing is checked out, nothing that a repository configures
runs.
"""
