"""Routes of keys for programs."""

from __future__ import annotations

from typing import Any

from outlearn.serving.access import UserRole
from outlearn.serving.api.auth import Admin, Viewer
from outlearn.serving.api.documents import KeyIn, KeyOut, NewKeyOut, Page
from outlearn.serving.api.paging import Id
from outlearn.serving.api.routing import Serving, router, secret

__all__ = ["routes"]

routes = router("keys")


@routes.get("/keys", response_model=Page[KeyOut])
def list_keys(actor: Viewer, service: Serving) -> Any:
    """List one's own keys without their secrets, the revoked too; an admin sees those of all."""
    user = None if actor.role >= UserRole.ADMIN else actor.name
    return {"items": service.accounts.keys(user), "next": None}


@routes.post("/keys", status_code=201, response_model=NewKeyOut, **secret())
def make_a_key(actor: Admin, service: Serving, given: KeyIn) -> Any:
    """Make a key for somebody; its secret is shown this once."""
    role = None if given.role is None else UserRole.parse(given.role)
    return {"secret": service.accounts.new_key(actor, given.user, given.label, role, given.days)}


@routes.delete("/keys/{id}", status_code=204)
def revoke_a_key(actor: Viewer, service: Serving, id: Id) -> None:
    """Make a key useless from the next request on: one's own, or any as an admin."""
    service.accounts.revoke_key(actor, id)
