"""Microsoft Presidio's recognizers beside ours, where the package `presidio-analyzer` is installed and asked for.

It is no dependency: ours find more at twenty times the speed on our notes. Knows Presidio's names of kinds; loads no language model.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, Protocol

from training.deidentify.kinds import Found, Kind

PACKAGE = "presidio_analyzer"
_RECOGNIZERS = {
    "CreditCardRecognizer": Kind.ACCOUNT,
    "IbanRecognizer": Kind.ACCOUNT,
    "UsBankRecognizer": Kind.ACCOUNT,
    "UsItinRecognizer": Kind.SOCIAL_SECURITY,
    "UsPassportRecognizer": Kind.LICENCE,
    "MedicalLicenseRecognizer": Kind.LICENCE,
    "CryptoRecognizer": Kind.ACCOUNT,
    "IpRecognizer": Kind.IP,
    "EmailRecognizer": Kind.EMAIL,
}
_SURE = 0.5
"""Presidio's score; without the words around it most of its patterns score less."""


class OtherFinder(Protocol):
    """Finders from outside the house."""

    def find(self, text: str) -> list[Found]:
        """Identifiers in `text`."""
        ...


class PresidioFinder:
    """Presidio's pattern recognizers with a score of at least a half."""

    def __init__(self, package: Any) -> None:
        self._recognizers = [
            (getattr(package.predefined_recognizers, name)(), kind)
            for name, kind in _RECOGNIZERS.items()
            if hasattr(package.predefined_recognizers, name)
        ]

    def find(self, text: str) -> list[Found]:
        """Identifiers in `text`."""
        found = []
        for recognizer, kind in self._recognizers:
            for result in recognizer.analyze(text, recognizer.supported_entities, None) or ():
                if result.score >= _SURE:
                    found.append(Found(result.start, result.end, kind))
        return found


def presidio() -> PresidioFinder:
    """Raises ValueError where the package is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        raise ValueError("--presidio needs the package presidio-analyzer, which is not installed")
    return PresidioFinder(importlib.import_module(PACKAGE))
