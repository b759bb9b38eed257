"""Routes that know who asks before they read what came."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from outlearn.serving.access import Actor
from outlearn.serving.api.auth import Needs, identify
from outlearn.serving.api.bodies import Body, check_text
from outlearn.serving.api.idempotency import HEADER, key_of, once, request_digest
from outlearn.serving.api.problems import Problem
from outlearn.serving.service import Service

__all__ = ["PREFIX", "Guarded", "Serving", "router", "secret"]

PREFIX = "/api/v1"
_SECRET = "x-secret"  # of operations whose request or answer holds a secret, which is not kept


class Guarded(APIRoute):
    """A route with a least role, which its endpoint names by a parameter such as ``actor: Operator``.

    Who asks, the role, and the size and media type of the body are checked in this order, so that nobody has
    a body read who may not send it; then the endpoint runs, once for each idempotency key.

    Attributes
    ----------
    role : the least that it takes.
    body : how it reads its bodies, None when it takes none. keeps : whether answers are kept for a key of
    idempotency, which those with secrets are not.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()
        self.role = _only(Needs, self.dependant, self.path).role
        self.body = next(_of_kind(Body, self.dependant), Body() if self.body_field is not None else None)
        self.keeps = not (self.openapi_extra or {}).get(_SECRET, False)
        what = self.name.replace("_", " ")

        async def handle(request: Request) -> Response:
            service: Service = request.app.state.service
            actor = await run_in_threadpool(identify, service.accounts, request)
            actor.require(self.role, what)
            check_text([*request.path_params.values(), *request.query_params.values()], "the address")
            key = self._key(request, actor)
            request.state.actor = actor
            try:
                digest = "" if self.body is None else await self._read(request, self.body)
                if key is None or actor.user_id is None:
                    return await inner(request)
                digest = request_digest(request, digest)
                return await once(service.database, actor.user_id, key, digest, lambda: inner(request))
            finally:
                if self.body is not None:
                    await self.body.done(request)

        return handle

    def _key(self, request: Request, actor: Actor) -> str | None:
        key = key_of(request) if request.method == "POST" else None
        if key is not None and (not self.keeps or actor.user_id is None):
            raise Problem(400, "idempotency-key", f"this request takes no {HEADER}: its answer is not kept")
        return key

    @staticmethod
    async def _read(request: Request, body: Body) -> str:
        request.state.received = received = await body.receive(request)
        return received.digest


def router(tag: str, prefix: str = PREFIX) -> APIRouter:
    """Return a router of a group of guarded routes."""
    return APIRouter(route_class=Guarded, prefix=prefix, tags=[tag])


def secret() -> dict[str, Any]:
    """Return what marks a route whose answer holds a secret."""
    return {"openapi_extra": {_SECRET: True}}


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]


def _of_kind(kind: type[Any], dependant: Dependant) -> Iterator[Any]:
    return (each.call for each in dependant.dependencies if isinstance(each.call, kind))


def _only(kind: type[Needs], dependant: Dependant, path: str) -> Needs:
    found = list(_of_kind(kind, dependant))
    if len(found) != 1:
        raise TypeError(f"{path} names {len(found)} roles; wanted one parameter such as `actor: Viewer`")
    needs: Needs = found[0]
    return needs
