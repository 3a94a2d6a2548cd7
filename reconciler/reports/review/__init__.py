"""The review of a plan: everything that a person reads about it, decided once.

`reconciler.reports.review.composing.review` makes the value; text, Markdown and HTML are renderings
of it.
"""
