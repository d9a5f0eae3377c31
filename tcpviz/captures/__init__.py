"""Capture files, pcap and pcapng: from bytes to connections, and from a connection to its Trace."""

from tcpviz.captures.packets import CaptureError, Progress
from tcpviz.captures.read import Capture, Connection, read_capture

__all__ = ["Capture", "CaptureError", "Connection", "Progress", "read_capture"]
