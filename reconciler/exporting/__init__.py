"""A reading of a tenant -> documents that plan to no changes, as values: files with their text. Texts
of a tenant stay text: in YAML, in comments, in CSV, and in the names of files.
"""
