"""A share over the number of workers as a small SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, MARGIN, TOP = 640, 380, 44, 116
COLOURS = ("#7f7f7f", "#d62728", "#1f77b4", "#2ca02c", "#9467bd")


def plot(lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """One colour per name: (number, share from 0 to 1) points."""
    most = max(number for points in lines.values() for number, _ in points)

    def place(number: float, share: float) -> str:
        x = MARGIN + number / most * (WIDTH - 2 * MARGIN)
        return f"{x:.1f},{HEIGHT - MARGIN - share * (HEIGHT - MARGIN - TOP):.1f}"

    drawn = []
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        drawn.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{" ".join(place(*one) for one in points)}"/>'
        )
        drawn.append(f'<text x="{MARGIN + 8}" y="{18 + 17 * number}" fill="{colour}">{name}</text>')
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<polyline fill="none" stroke="black" points="{place(0, 1)} {place(0, 0)} {place(most, 0)}"/>',
            f'<text x="{MARGIN}" y="{HEIGHT - 24}">0</text>',
            f'<text x="{WIDTH - MARGIN - 60}" y="{HEIGHT - 24}">{most:.0f} workers</text>',
            f'<text x="4" y="{TOP + 4}">100 %</text>',
            *drawn,
            "</svg>",
            "",
        ]
    )
