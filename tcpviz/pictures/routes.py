"""Routes of right angles: built from turns, run beside each other, made curves.

Knows geometry. Must not know what a route leads to. Points are
complex numbers, in points of length: x to the right, y downwards.
"""

from functools import cache
from itertools import pairwise

__all__ = ["Route", "across", "along", "arrow", "beside", "down"]

Route = tuple[complex, ...]
Point = tuple[float, float]

_BEFORE = 2  # an arrow begins that far from its box,
_AFTER = 5  # and ends that far from the other one, whose frame may be doubled
_RADIUS = 10.0


def across(x: float, y: float, *turns: float) -> Route:
    """A route that begins sideways: to the first turn's x, then to the second's y, and so on.

    >>> across(0, 0, 50, 20)
    (0j, (50+0j), (50+20j))
    """
    return _route(complex(x, y), turns, sideways=True)


def down(x: float, y: float, *turns: float) -> Route:
    """A route that begins up or down: to the first turn's y, then to the second's x, and so on."""
    return _route(complex(x, y), turns, sideways=False)


def _route(start: complex, turns: tuple[float, ...], *, sideways: bool) -> Route:
    points = [start]
    for turn in turns:
        here = points[-1]
        points.append(complex(turn, here.imag) if sideways else complex(here.real, turn))
        sideways = not sideways
    return tuple(points)


@cache
def beside(route: Route, aside: float) -> Route:
    """The route that runs `aside` of this one, on the right of who walks it.

    >>> beside(across(0, 0, 50, 20), 2)
    (2j, (48+2j), (48+20j))
    """
    normals = [_towards(a, b) * 1j * aside for a, b in pairwise(route)]
    shifts = (normals[0], *(a + b for a, b in pairwise(normals)), normals[-1])
    return tuple(point + shift for point, shift in zip(route, shifts, strict=True))


def along(route: Route, share: float, limit: float) -> complex:
    """The point after this share of a route, or after `limit` where that comes first."""
    left = min(limit, share * sum(abs(b - a) for a, b in pairwise(route)))
    for a, b in pairwise(route):
        if left <= abs(b - a):
            return a + left * _towards(a, b)
        left -= abs(b - a)
    return route[-1]


@cache  # few routes, drawn often
def arrow(route: Route, head: float) -> tuple[tuple[Point, ...], Point]:
    """A Bezier curve along a route, its corners rounded, and where its head of this length ends."""
    forward = _towards(route[-2], route[-1])
    tip = route[-1] - _AFTER * forward
    start = route[0] + _BEFORE * _towards(route[0], route[1])
    stops = (start, *route[1:-1], tip - head * forward)
    points = [start]
    for before, corner, after in zip(stops, stops[1:], stops[2:], strict=False):
        radius = min(_RADIUS, abs(corner - before) / 2, abs(after - corner) / 2)
        enter = corner - radius * _towards(before, corner)
        leave = corner + radius * _towards(corner, after)
        points += _straight(points[-1], enter)
        points += [(enter + corner) / 2, (leave + corner) / 2, leave]
    points += _straight(points[-1], stops[-1])
    return tuple((point.real, point.imag) for point in points), (tip.real, tip.imag)


def _towards(a: complex, b: complex) -> complex:
    return (b - a) / abs(b - a)


def _straight(start: complex, end: complex) -> list[complex]:
    """A straight line as a cubic Bezier curve, without its start; its numbers are mostly whole."""
    return [start, start, end]
