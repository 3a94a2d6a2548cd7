"""A third product, the toy, as it would be added: `new/` has its files, `edits` what changes."""
