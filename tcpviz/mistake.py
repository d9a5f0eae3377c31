"""What a user gets to read who wrote what cannot be; knows nothing else."""


class Mistake(ValueError):
    """What a user wrote cannot be; the message is one sentence that says what and where.

    A notebook shows that sentence in the place of a traceback through this package.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead."""
        return [f"{type(self).__name__}: {self}"]
