"""Agents: tools by the Model Context Protocol, on standard streams or HTTP, under the service's roles."""

from outlearn.serving.agents.server import agent_server, http_app

__all__ = ["agent_server", "http_app"]
