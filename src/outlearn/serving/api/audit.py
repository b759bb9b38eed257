"""Routes of the audit: who changed what, and whether its chain holds."""

from __future__ import annotations

from typing import Any

from outlearn.errors import StoreError
from outlearn.serving.api.auth import Admin
from outlearn.serving.api.documents import AuditEntry, AuditState, Page
from outlearn.serving.api.paging import Cursor, Limit, page_of
from outlearn.serving.api.routing import Serving, router
from outlearn.serving.store import audit

__all__ = ["routes"]

routes = router("audit")


@routes.get("/audit", response_model=Page[AuditEntry])
def read_the_audit(actor: Admin, service: Serving, cursor: Cursor = None, limit: Limit = 100) -> Any:
    """List changes, the latest first."""
    with service.database.reading() as connection:
        return page_of(
            lambda before, most: audit.entries(connection, before=before, limit=most),
            lambda entry: entry.seq,
            cursor,
            limit,
        )


@routes.get("/audit/verify", response_model=AuditState)
def verify_the_audit(actor: Admin, service: Serving) -> Any:
    """Check the whole chain; `head` can be written down elsewhere, so that a cut is seen one day."""
    with service.database.reading() as connection:
        try:
            entries = audit.verify(connection)
        except StoreError as error:
            return {"holds": False, "entries": None, "head": None, "problem": str(error)}
        return {"holds": True, "entries": entries, "head": audit.head(connection)[1], "problem": None}
