"""Pictures of a Trace, pinned by tcpviz and drawn by Graphviz: sequence chart and state diagram."""

from tcpviz.pictures.engine import EngineError
from tcpviz.pictures.picture import Picture, Row, beside
from tcpviz.pictures.sequence_chart import sequence_chart
from tcpviz.pictures.state_diagram import state_diagram

__all__ = ["EngineError", "Picture", "Row", "beside", "sequence_chart", "state_diagram"]
