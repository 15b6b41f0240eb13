"""Markdown that the project wrote itself as HTML, for its pages. Chart text never comes here (safe_markdown)."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markupsafe import Markup

DEEPER = 2
"""Levels that headings go down, to stand below the page's own."""


def html_of(text: str) -> Markup:
    """HTML of our own text, without styles, which the pages' policy would refuse."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + DEEPER}"
        token.attrs.pop("style", None)  # alignment of columns
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704  a file of ours, html off
