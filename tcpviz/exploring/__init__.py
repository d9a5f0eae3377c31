"""Visiting every behaviour of a small network: the parts of `tcpviz.explore`.

`side` is one end with its application, `search` visits the joint states of two, `replay` gives a
run its clock back and writes it down as a Trace. None of them knows a rule of TCP.
"""
