"""YAML documents and the lists beside them, to validated documents."""

from reconciler.documents.examining import Examined, examine, load

__all__ = ["Examined", "examine", "load"]
