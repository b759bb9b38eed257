"""Network flows: who wrote them, and the features of each and of the hosts around it."""

from outlearn.data.kinds.flows.features import FEATURES, HOSTS
from outlearn.data.kinds.flows.forms import flow_columns, holds_flows
from outlearn.data.kinds.flows.view import ENTITY, flow_view, flow_words

__all__ = [
    "ENTITY",
    "FEATURES",
    "HOSTS",
    "flow_columns",
    "flow_view",
    "flow_words",
    "holds_flows",
]
