"""The Player as a widget. Knows anywidget, and nobody else does."""

import anywidget
import traitlets

from tcpviz.static import SCRIPT, STYLE


class PlayerWidget(anywidget.AnyWidget):
    """What `Player.widget` is: the same script in an ipywidget; `run` is what it plays."""

    _esm = SCRIPT
    _css = STYLE
    run = traitlets.Dict().tag(sync=True)

    def __repr__(self) -> str:
        return f"<Player {self.run['data']['title']}>"
