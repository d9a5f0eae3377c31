"""The Player as a widget, and its way to the kernel. Knows anywidget, and nobody else does."""

import anywidget
import traitlets

from tcpviz.static import BRIDGE, CONTROLS, SCRIPT, STYLE


class PlayerWidget(anywidget.AnyWidget):
    """What `Player.widget` is: the same script in an ipywidget; `run` is what it plays."""

    _esm = SCRIPT
    _css = STYLE
    run = traitlets.Dict().tag(sync=True)

    def __repr__(self) -> str:
        return f"<Player {self.run['data']['title']}>"


class Bridge(anywidget.AnyWidget):
    """What a Player in a page asks the kernel through; it is never shown."""

    _esm = BRIDGE
    name = traitlets.Unicode().tag(sync=True)


class Keys(anywidget.AnyWidget):
    """Unseen among a panel's controls: it gives them names to be heard, and the keys."""

    _esm = CONTROLS
