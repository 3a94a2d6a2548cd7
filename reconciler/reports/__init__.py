"""Values to texts: for a terminal, for machines, for a person with PowerShell.

Nothing here decides or reads anything.
"""
