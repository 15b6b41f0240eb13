"""Memory over time as a small SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, MARGIN = 640, 260, 44
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")


def plot(lines: Mapping[str, Sequence[Sequence[tuple[float, float]]]]) -> str:
    """One colour per name, one line for each of its runs: (seconds, MiB) samples."""
    samples = [sample for runs in lines.values() for run in runs for sample in run]
    longest = max((seconds for seconds, _ in samples), default=1.0) or 1.0
    highest = max((mib for _, mib in samples), default=1.0) * 1.1

    def place(seconds: float, mib: float) -> str:
        x = MARGIN + seconds / longest * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - mib / highest * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f},{y:.1f}"

    drawn = []
    for number, (name, runs) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        for run in runs:
            points = " ".join(place(*sample) for sample in run)
            drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>')
        drawn.append(f'<text x="{MARGIN + 8 + 110 * number}" y="18" fill="{colour}">{name}</text>')
    axis = f"{place(0, highest)} {place(0, 0)} {place(longest, 0)}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<polyline fill="none" stroke="black" points="{axis}"/>',
            f'<text x="{MARGIN}" y="{HEIGHT - 24}">0</text>',
            f'<text x="{WIDTH - 2 * MARGIN}" y="{HEIGHT - 24}">{longest / 60:.1f} min</text>',
            f'<text x="2" y="{MARGIN + 4}">{highest:.0f} MiB</text>',
            *drawn,
            "</svg>",
            "",
        ]
    )
