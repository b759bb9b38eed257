"""Routes of people: who is there, what they may do, and invitations to choose a password."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from outlearn.serving.access import UserRole
from outlearn.serving.api.auth import Admin, Viewer
from outlearn.serving.api.documents import Caller, InvitedOut, InviteIn, Page, RoleIn, UserIn, UserOut
from outlearn.serving.api.routing import Serving, router, secret

__all__ = ["routes"]

routes = router("users")
UserName = Annotated[str, Path(max_length=100, description="of the person", examples=["ana"])]


@routes.get("/me", response_model=Caller)
def show_who_asks(actor: Viewer) -> Any:
    """Say whose the key is, and what it may do."""
    return {"name": actor.name, "role": str(actor.role)}


@routes.get("/users", response_model=Page[UserOut])
def list_users(actor: Admin, service: Serving) -> Any:
    """List all people by name, the disabled too."""
    return {"items": service.accounts.users(), "next": None}


@routes.post("/users", status_code=201, response_model=UserOut)
def add_a_user(actor: Admin, service: Serving, given: UserIn) -> Any:
    """Add a person, who has no password until an invitation is accepted."""
    return service.accounts.add_user(actor, given.name, UserRole.parse(given.role))


@routes.put("/users/{user}/role", status_code=204)
def change_a_role(actor: Admin, service: Serving, user: UserName, given: RoleIn) -> None:
    """Change what a person may do, from the next request on."""
    service.accounts.set_role(actor, user, UserRole.parse(given.role))


@routes.post("/users/{user}/disable", status_code=204)
def disable_a_user(actor: Admin, service: Serving, user: UserName) -> None:
    """Shut a person out: their sessions end at once, and their keys do not work any more."""
    service.accounts.disable(actor, user)


@routes.post("/users/{user}/enable", status_code=204)
def enable_a_user(actor: Admin, service: Serving, user: UserName) -> None:
    """Let a disabled person in again, with the password and keys from before."""
    service.accounts.enable(actor, user)


@routes.post("/users/{user}/invite", status_code=201, response_model=InvitedOut, **secret())
def invite_a_user(actor: Admin, service: Serving, user: UserName, given: InviteIn) -> Any:
    """Make a link by which a person chooses a password, once; those from before end."""
    token = service.accounts.invite(actor, user, given.hours)
    return {"link": f"{service.settings.url}/welcome?token={token}"}
