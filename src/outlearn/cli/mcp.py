"""outlearn mcp: tools for agents, by the Model Context Protocol."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.store import Config, Store, settings_of
from outlearn.errors import AccessError
from outlearn.extras import require

__all__ = ["mcp"]

KEY = "OUTLEARN_KEY"


def mcp(
    store: Store = None,
    config: Config = None,
    http: Annotated[
        bool, typer.Option("--http", help="Listen by HTTP at /mcp, each agent with its key as bearer token.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Where to listen with --http (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at with --http (8080).")] = None,
    debug: o.Debug = False,
) -> None:
    """Let agents list, explain, decide, hunt and suppress, under the role of a key of the service.

    On standard streams the key comes from the environment: OUTLEARN_KEY; `outlearn key add` makes one.
    """
    require("mcp", extra="mcp")
    settings = settings_of(store, config, host=host, port=port)
    from outlearn.serving.agents import agent_server, http_app
    from outlearn.serving.service import Service

    service = Service.open(settings)
    try:
        if http:
            import uvicorn

            app = http_app(service, host=settings.host)
            uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning", server_header=False)
            return
        if KEY not in os.environ:
            raise AccessError(f"no key came; set {KEY} to one that `outlearn key add` made")
        agent_server(service, os.environ[KEY]).run("stdio")
    finally:
        service.close()
