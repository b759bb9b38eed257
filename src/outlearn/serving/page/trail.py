"""The audit, for admins: who changed what, and whether its chain holds."""

from __future__ import annotations

import json

from fastapi import APIRouter
from starlette.responses import Response

from outlearn.errors import StoreError
from outlearn.serving.access import UserRole
from outlearn.serving.page.faults import PageRoute
from outlearn.serving.page.rendering import page
from outlearn.serving.page.visitor import Below, Serving, Visiting
from outlearn.serving.page.words import count
from outlearn.serving.store import audit

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, prefix="/audit")
SHOWN = 50  # entries of a page


@router.get("")
def show_audit(service: Serving, visitor: Visiting, before: Below = None, verify: str = "") -> Response:
    visitor.actor.require(UserRole.ADMIN, "read the audit")
    with service.database.reading() as connection:
        entries = audit.entries(connection, before=before, limit=SHOWN + 1)
        verified, broken = "", ""
        try:
            verified = count(audit.verify(connection), "entry") if verify else ""
        except StoreError as error:
            broken = str(error)
    shown = entries[:SHOWN]
    return page(
        "audit.html",
        visitor,
        entries=[(entry, json.dumps(entry.detail, ensure_ascii=False)) for entry in shown],
        before=shown[-1].seq if len(entries) > SHOWN else None,
        verified=verified,
        broken=broken,
    )
