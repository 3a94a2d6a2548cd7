"""YAML documents and the lists beside them, to validated documents."""

from reconciler.documents.examining import (
    Examined,
    examine_documents,
    examine_earlier,
    load_documents,
)

__all__ = ["Examined", "examine_documents", "examine_earlier", "load_documents"]
