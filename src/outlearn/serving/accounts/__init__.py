"""Who may come in: people with roles, their keys for programs, their passwords and sessions for pages."""

from outlearn.serving.accounts.accounts import Accounts
from outlearn.serving.accounts.keys import Key
from outlearn.serving.accounts.sessions import Session
from outlearn.serving.accounts.users import User

__all__ = ["Accounts", "Key", "Session", "User"]
