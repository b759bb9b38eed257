"""The app of a service with its pages, as `outlearn serve` has it."""

from __future__ import annotations

from fastapi import FastAPI

from outlearn.serving.api.app import create_app
from outlearn.serving.page.router import with_pages
from outlearn.serving.service import Service

__all__ = ["app_of"]


def app_of(service: Service) -> FastAPI:
    return with_pages(create_app(service), service)
