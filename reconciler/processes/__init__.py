"""The only room that starts processes: which program, with what, and its certain end."""
