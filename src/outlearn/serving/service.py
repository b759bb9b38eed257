"""The service as one object: what the command line, the API, the pages and the agents all go through."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from outlearn.serving.runs import RunQueue
from outlearn.serving.settings import Settings
from outlearn.serving.store.database import Database

if TYPE_CHECKING:
    from outlearn.pipeline.monitor import Monitor
    from outlearn.serving.accounts import Accounts
    from outlearn.serving.jobs import Jobs
    from outlearn.serving.models import Models
    from outlearn.serving.triage import Triage

__all__ = ["Service"]


class Service:
    """A store with all that works on it; each part is made, and imported, when it is first used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     service = Service.open(Settings(store=f"sqlite:///{folder}/a.db"))
    ...     print(service.runs.list())
    ...     service.close()
    []
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the service of a store, which is made or brought up to this version first.

        Raises
        ------
        StoreError
            When the database cannot be reached, or was made by a later version.
        """
        database = Database.open(settings.store)
        database.upgrade()
        return cls(database, settings)

    def close(self) -> None:
        """Close the connections to the store."""
        self.database.close()

    @cached_property
    def accounts(self) -> Accounts:
        from outlearn.serving.accounts import Accounts

        return Accounts(self.database, session_hours=self.settings.session_hours)

    @cached_property
    def jobs(self) -> Jobs:
        from outlearn.serving.jobs import Jobs

        return Jobs(self.database, self.settings, self.runs, self._live)

    @cached_property
    def runs(self) -> RunQueue:
        return RunQueue(self.database, self.settings.lease_seconds)

    @cached_property
    def models(self) -> Models:
        from outlearn.serving.models import Models

        return Models(self.database)

    @cached_property
    def triage(self) -> Triage:
        from outlearn.serving.triage import Triage

        return Triage(self.database, self.runs)

    def _live(self, job_id: int) -> Monitor | None:
        version = self.models.live(job_id)
        return None if version is None else self.models.load(version)
