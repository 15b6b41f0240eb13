"""A composed bundle that is measured: its versions at once, its reader when something is to be read."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from nlp_core.assess import Reader
from nlp_core.model_bundle import Bundle, composed_bundle_path
from training.measures.remembering_reader import remembering_reader

SHIPPED = "shipped"


class MeasuredModel:
    """One composed bundle; a run that finds all its readings kept loads no encoder."""

    def __init__(self, path: Path) -> None:
        """Raises BundleError where the folder is no whole bundle."""
        self.path, self._bundle = path, Bundle.open(path)
        self.version = self._bundle.model_version
        self.knowledge = self._bundle.knowledge()

    @cached_property
    def reader(self) -> Reader:
        return remembering_reader(self.path)

    @property
    def calibrated(self) -> bool:
        """Does its calibration belong to its knowledge? Otherwise probabilities are raw."""
        fitted = self._bundle.calibration()
        return fitted is not None and fitted.knowledge_version == self.knowledge.version


def models(bundle: Path | None, against: str | None) -> tuple[MeasuredModel, MeasuredModel | None]:
    """The model to measure (None: the one set-up made), and the one beside it: `shipped`, a folder, or none."""
    ours = MeasuredModel(bundle or composed_bundle_path())
    if not against:
        return ours, None
    other = composed_bundle_path() if against == SHIPPED else Path(against)
    return ours, ours if other.resolve() == ours.path.resolve() else MeasuredModel(other)
