"""Network flows: who wrote them, what is seen of each, and of the hosts around it."""

from outlearn.data.flows.features import FEATURES, HOSTS
from outlearn.data.flows.forms import holds_flows
from outlearn.data.flows.view import flow_view, flow_words, of_flows

__all__ = ["FEATURES", "HOSTS", "flow_view", "flow_words", "holds_flows", "of_flows"]
