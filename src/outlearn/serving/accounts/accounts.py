"""The accounts of a store, as the service holds them."""

from __future__ import annotations

from outlearn.serving.accounts.keys import Keys
from outlearn.serving.accounts.sessions import Sessions
from outlearn.serving.accounts.users import Users

__all__ = ["Accounts"]


class Accounts(Users, Keys, Sessions):
    """People, their keys and their sessions: what is asked of them in one place.

    Examples
    --------
    >>> import tempfile
    >>> from outlearn.serving.access import Actor, UserRole, Via
    >>> from outlearn.serving.store.database import Database
    >>> folder = tempfile.TemporaryDirectory()
    >>> database = Database.open(f"sqlite:///{folder.name}/a.db")
    >>> database.upgrade()
    >>> accounts, root = Accounts(database), Actor("root", UserRole.ADMIN, Via.CLI)
    >>> user = accounts.add_user(root, "ana", UserRole.ANALYST)
    >>> secret = accounts.new_key(root, "ana", "nightly")
    >>> accounts.by_key(secret).name, len(secret), accounts.by_key("olk_made-up")
    ('ana', 47, None)
    >>> database.close()
    >>> folder.cleanup()
    """
