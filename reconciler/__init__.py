"""Policy as code for Microsoft 365 application access policies."""

__version__ = "0.1.0"
