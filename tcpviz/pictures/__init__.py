"""Pictures of Traces, of explorations and of counts over time, pinned here, drawn by Graphviz."""

from tcpviz.pictures.comparison import compare
from tcpviz.pictures.engine import EngineError
from tcpviz.pictures.joint_state_map import joint_state_map
from tcpviz.pictures.picture import Picture, Row, beside
from tcpviz.pictures.sequence_chart import sequence_chart
from tcpviz.pictures.server_view import server_view
from tcpviz.pictures.state_diagram import state_diagram
from tcpviz.pictures.timelines import timelines

__all__ = [
    "EngineError",
    "Picture",
    "Row",
    "beside",
    "compare",
    "joint_state_map",
    "sequence_chart",
    "server_view",
    "state_diagram",
    "timelines",
]
