"""The review of a plan, and results of access tests, as Markdown for a pull request."""
