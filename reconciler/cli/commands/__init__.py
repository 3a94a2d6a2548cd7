"""The commands, one module each, with the click command in `command`.

A command returns its exit code.
"""
