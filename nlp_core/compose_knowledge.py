"""What composing adds to the encoder: the compiled knowledge, its lexicons, its shares and the vectors of its names.

Steps of compose_bundle; each gets a folder that already opens as a bundle.
"""

from __future__ import annotations

from pathlib import Path

from nlp_core.bundle_manifest import FINDING_CENTRES
from nlp_core.finding_centres import FindingCentres
from nlp_core.knowledge_files import compile_knowledge
from nlp_core.model_bundle import KNOWLEDGE, LEXICONS, NAMES, SHARES, SPELLING, Bundle
from nlp_core.share_tables import ShareTables


def add_knowledge(folder: Path) -> None:
    """Compiles the knowledge files and their names. Raises KnowledgeError when they do not parse."""
    from nlp_core.lexicon_names import compile_lexicons  # imported here for the same reason as below

    knowledge = compile_knowledge(folder / KNOWLEDGE)
    compile_lexicons(folder / LEXICONS, knowledge)


def add_spelling(folder: Path) -> None:
    """Gathers the words that slips of the keyboard are mended by."""
    from nlp_core.compose_spelling import spelling_of  # imported here for the same reason as below

    bundle = Bundle.open(folder)
    spelling_of(bundle.knowledge(), bundle.tokenizer().get_vocab()).save(folder / SPELLING)


def add_names(folder: Path) -> None:
    """Embeds the names of the findings; a quarter of a minute on two cores."""
    # Imported here: spaCy and ONNX Runtime take seconds to load, and most commands never compose.
    from nlp_core.name_index import NameIndex
    from nlp_core.onnx_encoder import OnnxEncoder

    bundle = Bundle.open(folder)
    centres = FindingCentres.load(bundle.file(FINDING_CENTRES)) if FINDING_CENTRES in bundle.manifest.files else None
    NameIndex.build(bundle.knowledge(), OnnxEncoder.open(bundle, threads=0), centres).save(folder / NAMES)


def add_shares(folder: Path) -> None:
    """Compiles the shares; a few seconds."""
    ShareTables.of(Bundle.open(folder).knowledge()).save(folder / SHARES)
