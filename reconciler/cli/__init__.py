"""The command line: parse, one call into the package, print, exit."""
