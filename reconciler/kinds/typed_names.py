"""Names that people type for objects, and the ids that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.guids import guid
from reconciler.model.addresses import EVERY_APPLICATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.documents import Documents
    from reconciler.model.observed import Directory


class NamedObjects(Struct, frozen=True):
    """What has a name: documents, and what the capture knows of users and recipients."""

    documents: Documents
    directory: Directory

    def applications(self, text: str) -> Iterator[str]:
        """The client ids that a text is, or is the name of."""
        name = text.strip().casefold()
        if name == EVERY_APPLICATION or guid(name):
            yield name
        for document in self.documents.applications:
            if document.name.casefold() == name:
                yield document.application

    def users(self, text: str) -> Iterator[str]:
        """The users, by object id, whose principal name a text is; an address that is another
        recipient's as well leads to both.
        """
        name = text.strip().lower()
        if name in self.directory.users_by_upn:
            yield self.directory.users_by_upn[name]
            if two := self.directory.two_meanings(name):
                yield two[1]

    def recipients(self, text: str) -> Iterator[str]:
        """The recipients, by object id, whose address a text is; likewise."""
        name = text.strip().lower()
        if guid(name):
            yield name
        elif name in self.directory.recipients_by_address:
            yield self.directory.recipients_by_address[name]
            if two := self.directory.two_meanings(name):
                yield two[0]
