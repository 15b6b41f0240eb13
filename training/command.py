"""What a subcommand of `dxspan-train` is: a name, a line of help, its arguments and what runs.

A module that offers one defines `COMMAND` and joins the tuple in `__main__`; it imports torch inside what runs only, so
that the other commands start at once.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand."""

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    """Given the parsed arguments, returns the exit status; errors of the user's making are raised as ValueError."""


def said(options: Namespace, *names: str) -> str:
    """The options that were given, as on the command line: what a page says it was written with."""
    given = ((name, getattr(options, name)) for name in names)
    return "".join(f" --{name} {value}" for name, value in given if value is not None)


def deliver(page: str, target: Path | None) -> None:
    """Writes a page to `target`, or prints it where none is given."""
    if target:
        target.write_text(page, encoding="utf-8")
    else:
        print(page)
