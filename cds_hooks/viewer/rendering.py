"""Pages and messages of the viewer -> HTML. Knows templates alone; every word is escaped there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cds_hooks.viewer.evidence_page import Page
from cds_hooks.viewer.page_words import MESSAGES
from cds_hooks.viewer.quoted_page import QuotedPage
from cds_hooks.viewer.refusals import ViewerRefusal

TEMPLATES = Path(__file__).parent / "templates"
_EVIDENCE, _QUOTED, _MESSAGE = "evidence.html.jinja", "quoted.html.jinja", "message.html.jinja"


def rendered(page: Page | QuotedPage, *, address: str, idle_seconds: int) -> str:
    """The page's HTML. `address`: of its session."""
    template = _templates().get_template(_EVIDENCE if isinstance(page, Page) else _QUOTED)
    return template.render(page=page, address=address, idle_seconds=idle_seconds)


def message(refusal: ViewerRefusal) -> str:
    """What is said in place of a page, in both languages."""
    return _templates().get_template(_MESSAGE).render(words=MESSAGES[type(refusal).__name__])


def compile_templates() -> None:
    """So that the first page need not wait for it."""
    for name in (_EVIDENCE, _QUOTED, _MESSAGE):
        _templates().get_template(name)


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
