"""Tests of `reconciler.exporting` and of the commands that write documents."""
