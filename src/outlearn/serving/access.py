"""Who may do what: roles, and the person or key that acts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from outlearn.errors import AccessError, ParameterError

__all__ = ["Actor", "UserRole", "Via"]


class UserRole(IntEnum):
    """What somebody may do; each may do all that those before may.

    VIEWER reads. ANALYST gives verdicts, comments, assigns, suppresses, and scores rows without keeping them.
    OPERATOR adds, changes, runs and removes jobs, pushes rows, promotes models. ADMIN manages users and keys,
    reads the audit, backs up.
    """

    VIEWER = 1
    ANALYST = 2
    OPERATOR = 3
    ADMIN = 4

    @classmethod
    def parse(cls, text: str) -> UserRole:
        """Return the role of a name in any case.

        Raises
        ------
        ParameterError
            When there is none.
        """
        try:
            return cls[text.upper()]
        except KeyError as error:
            wanted = ", ".join(str(role) for role in cls)
            raise ParameterError(f"the role is {text!r}; wanted one of {wanted}") from error

    def __str__(self) -> str:
        return self.name.lower()


class Via(StrEnum):
    """By which door somebody came."""

    CLI = "cli"
    API = "api"
    PAGE = "page"
    AGENT = "agent"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a name for the audit, a role, and the door.

    user_id : in the store; None for who holds the store itself, as on its command line, and for workers.
    """

    name: str
    role: UserRole
    via: Via
    user_id: int | None = None

    def require(self, role: UserRole, what: str) -> None:
        """Refuse what is above the role.

        Raises
        ------
        AccessError
            With what was tried and which role it takes.

        >>> Actor("ana", UserRole.ANALYST, Via.API).require(UserRole.OPERATOR, "add a job")
        Traceback (most recent call last):
        outlearn.errors.AccessError: ana is analyst and may not add a job; it takes operator
        """
        if self.role < role:
            raise AccessError(f"{self.name} is {self.role} and may not {what}; it takes {role}")
