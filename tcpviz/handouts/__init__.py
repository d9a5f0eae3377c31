"""Handouts of the chapters, for students and for the teacher: as a page of HTML, and as PDF.

Made of the notebooks as they are stored; nothing is run. Needs what `pip install tcpviz[handout]`
brings.
"""

from tcpviz.handouts.chapter import Problem
from tcpviz.handouts.make import handouts

__all__ = ["Problem", "handouts"]
