"""The door to PowerShell: one process, one line out, lines in, and nothing that is not provably an
answer to what was asked.
"""
