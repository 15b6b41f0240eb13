"""Two small plots as inline SVG: drawn by hand so that a page of several has no id twice and weighs little.

Knows coordinates. Each plot names itself for a screen reader; the page has the same figures as a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from markupsafe import Markup

from training.site.site_figures import Point, Share

_INK, _LINE, _GRID, _OTHER = "#1f2328", "#2563a8", "#d0d7de", "#b45309"
_SIDE, _LEFT, _TOP = 280, 52, 16
_NAME, _BAR, _ROW = 220, 340, 26


def reliability_plot(points: Sequence[Point]) -> Markup:
    """Share that is right over the probability promised, with intervals; on the line a promise is kept."""
    body = [*_square()]
    for point in points:
        x, y = _x(point.promised), _y(point.right.value)
        body.append(_stroke(x, _y(point.right.low), x, _y(point.right.high), _LINE, 1.5))
        body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_LINE}"/>')
    return _svg(
        _LEFT + _SIDE + 16, _TOP + _SIDE + 46, "Share right over the probability promised, with 95 % intervals", body
    )


def interval_plot(rows: Sequence[tuple[str, Share, str]], title: str, within: tuple[float, float]) -> Markup:
    """One row per name: a point with its interval, and the figure in words. within: ends of the scale."""
    low, high = within

    def place(value: float) -> float:
        return _NAME + _BAR * (min(max(value, low), high) - low) / (high - low)

    bottom = _ROW * len(rows) + 8
    body = []
    for step in range(6):
        value = low + (high - low) * step / 5
        body.append(_stroke(place(value), 4, place(value), bottom, _GRID, 1))
        body.append(_words(place(value), bottom + 16, f"{100 * value:.0f}", "middle"))
    for number, (name, share, told) in enumerate(rows):
        y = _ROW * number + 20
        body.append(_words(_NAME - 10, y + 4, name, "end"))
        body.append(_stroke(place(share.low), y, place(share.high), y, _LINE, 2))
        body.append(f'<circle cx="{place(share.value):.1f}" cy="{y}" r="4" fill="{_LINE}"/>')
        body.append(_words(_NAME + _BAR + 12, y + 4, told, "start"))
    return _svg(_NAME + _BAR + 130, bottom + 24, title, body)


def _square() -> Iterator[str]:
    for step in range(6):
        value = step / 5
        yield _stroke(_x(value), _y(0), _x(value), _y(1), _GRID, 1)
        yield _stroke(_x(0), _y(value), _x(1), _y(value), _GRID, 1)
        yield _words(_x(value), _y(0) + 16, f"{100 * value:.0f}", "middle")
        yield _words(_LEFT - 8, _y(value) + 4, f"{100 * value:.0f}", "end")
    yield _stroke(_x(0), _y(0), _x(1), _y(1), _OTHER, 1.5)
    yield _words(_x(0.5), _y(0) + 36, "promised, %", "middle")
    yield f'<text transform="rotate(-90)" x="{-_y(0.5):.0f}" y="12" text-anchor="middle" fill="{_INK}">right, %</text>'


def _x(value: float) -> float:
    return _LEFT + _SIDE * value


def _y(value: float) -> float:
    return _TOP + _SIDE * (1 - value)


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _words(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'


def _svg(width: float, height: float, title: str, body: Sequence[str]) -> Markup:
    told = escape(title)
    return Markup(  # noqa: S704  # every text in it was escaped
        f'<svg role="img" aria-label="{told}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-size="12"'
        f' font-family="system-ui, sans-serif">{"".join(body)}</svg>'
    )
