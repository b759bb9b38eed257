"""System logs as text: lines, what they have in common, and the features of each."""

from outlearn.data.kinds.logs.sessions import session_schema, session_view, session_words
from outlearn.data.kinds.logs.view import LOG_FEATURES, log_view, log_words

__all__ = [
    "LOG_FEATURES",
    "log_view",
    "log_words",
    "session_schema",
    "session_view",
    "session_words",
]
