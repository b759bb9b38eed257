"""A client of the service for programs in Python: the same calls, values and errors as in the service itself.

>>> from outlearn.client import Client
>>> client = Client("http://127.0.0.1:8080", "olk_secret")  # nothing is sent yet
>>> client.close()
"""

from outlearn.client.client import Client
from outlearn.client.connection import Connection, Event

__all__ = ["Client", "Connection", "Event"]
