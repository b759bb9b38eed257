"""outlearn serve: the pages and the API at an address, and workers beside them."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import complain, say
from outlearn.cli.store import Config, Store, acting, settings_of
from outlearn.errors import ParameterError
from outlearn.masked import masked

if TYPE_CHECKING:
    from outlearn.serving.service import Service
    from outlearn.serving.settings import Settings

__all__ = ["log_lines", "serve"]

GRACEFUL = 5  # seconds that requests which are under way have when the server is to end


def serve(
    store: Store = None,
    config: Config = None,
    host: Annotated[
        str | None, typer.Option(help="Where to listen; 127.0.0.1 is reached from this machine alone.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at (8080).")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that work on jobs (1); 0: none, others do.")
    ] = None,
    debug: o.Debug = False,
) -> None:
    """Serve the pages and the API, and work on jobs, until Ctrl-C or SIGTERM comes.

    At the first start it prints a link, good for one use, by which the first admin chooses a password.
    """
    from outlearn.extras import require

    for module in ("fastapi", "uvicorn", "argon2", "prometheus_client", "python_multipart", "jinja2"):
        require(module, extra="serve")
    settings = settings_of(store, config, host=host, port=port, workers=workers)
    log_lines(settings)
    with _listening(settings) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        from outlearn.serving.service import Service

        service = Service.open(settings)
        try:
            _greet(service)
            _run(service, listener)
        finally:
            service.close()
    say("The service has ended.")


def log_lines(settings: Settings) -> None:
    """Have what the service does told on standard error."""
    from outlearn.serving import logs
    from outlearn.serving.worker import secrets_in

    logs.configure(secrets_in(settings), names=("outlearn", "uvicorn"))


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else str(error)
        raise ParameterError(
            f"cannot listen at {settings.host}, port {settings.port}: {why}; wanted an address of this "
            "machine (--host), and a port that is free (--port)"
        ) from error


def _greet(service: Service) -> None:
    """Say where the service is, how to come in for the first time, and what is not safe about it."""
    settings = service.settings
    say(f"outlearn at {settings.url} (store: {masked(settings.store)})")
    invited = service.accounts.first_invitation(acting())
    if invited is not None:
        name, token = invited
        say(f"Nobody has a password yet. {name} chooses one within 24 hours, at a link that is good once:")
        say(f"  {settings.url}/welcome?token={token}")
    if not _is_loopback(settings.host) and not settings.url.startswith("https:"):
        complain(
            f"warning: it listens at {settings.host} without TLS: passwords, keys and rows cross the network "
            "in clear, and cookies are not kept to TLS. Let it listen at 127.0.0.1 behind a proxy that "
            'speaks TLS, and set address = "https://…" in the settings'
        )


def _run(service: Service, listener: socket.socket) -> None:
    import uvicorn

    from outlearn.serving.api.app import create_app
    from outlearn.serving.page.router import with_pages
    from outlearn.serving.supervisor import Supervisor

    app = with_pages(create_app(service), service)

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.events.close()  # pages that follow would keep it waiting
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        log_config=None,  # `log_lines` has done it
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL,
    )
    supervisor = Supervisor(service.settings, service.runs)
    supervisor.start()
    try:
        Server(config).run(sockets=[listener])
    except KeyboardInterrupt:  # raised again once the server has ended by the signal
        pass
    finally:
        supervisor.stop()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
