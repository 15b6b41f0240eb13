"""The folder a model is: manifest, checksums, tokenizer, graph, weights, knowledge, calibration.

Two folders: `nlp_core/bundle/` is shipped and holds no base weights; set-up composes the other (compose_bundle), and
serving opens that one. Opening verifies every byte, so nothing is loaded that set-up did not write.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from tokenizers import Tokenizer

from nlp_core.bundle_checks import check_folder
from nlp_core.bundle_errors import BundleDamaged
from nlp_core.bundle_manifest import (
    BESIDE,
    CALIBRATION,
    GRAPH,
    HEAD_WEIGHTS,
    LINKER,
    MANIFEST,
    MATCHER,
    READING_TRUST,
    TOKENIZER,
    Manifest,
    StoredFile,
    read_manifest,
    stored_file,
)
from nlp_core.calibration import Calibration
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import knowledge_paths
from nlp_core.lasting_objects import lasting_objects
from nlp_core.reading_trust import HAND_SET, ReadingTrust

if TYPE_CHECKING:  # concepts brings spaCy, and the encoder opens bundles
    from nlp_core.case_matcher import CaseMatcher
    from nlp_core.concept_linker import ConceptLinker
    from nlp_core.device_faults import DeviceHealth
    from nlp_core.encoder import Encoder
    from nlp_core.lexicon_names import Lexicons
    from nlp_core.remembered_sentences import Remember
    from nlp_core.second_reader import HeadsUsed, SecondReader
    from nlp_core.sentence_readings import SentenceEncoder
    from nlp_core.share_tables import ShareTables
    from nlp_core.spelling import Spelling

SHIPPED_BUNDLE = Path(__file__).parent / "bundle"
COMPILED_BY = tuple(
    Path(__file__).parent / name
    for name in (
        "rules/attributes.yaml",
        "words.py",
        "text_view.py",
        "rules/traditional_characters.txt",
        "rules/assertion.yaml",
        "rules/english_words.txt",
        "spelling.py",
        "compose_spelling.py",
        "lexicon.py",
        "lexicon_names.py",
        "attributes.py",
        "share_tables.py",
        "name_index.py",
        "neutral_words.py",
        "finding_centres.py",
    )
)
"""What else the compiled names, shares and vectors depend on: a change of one composes the bundle anew."""
KNOWLEDGE = "knowledge.json"
"""Compiled knowledge, where a step of composing wrote it."""
LEXICONS = "lexicons.json"
"""The names to look for in notes, taken apart (lexicon_names), where a step of composing wrote them."""
SHARES = "shares.npz"
"""What every finding says of every diagnosis (share_tables), where a step of composing wrote it."""
SPELLING = "spelling.json"
"""Words for mending slips of the keyboard (spelling), where a step of composing wrote them."""
NAMES = "names.npz"
"""Vectors of the findings' names (name_index), where a step of composing wrote them."""


class _LearnedBehindHeads(Protocol):
    """What is good for the heads alone that it was learned behind."""

    heads: str
    """Hex SHA-256 of their file."""


LearnedT = TypeVar("LearnedT", bound=_LearnedBehindHeads)


class Bundle:
    """A verified, composed bundle; open it with `Bundle.open`."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._knowledge: Knowledge | None = None

    @staticmethod
    def open(path: Path) -> Bundle:
        """Verifies the folder and opens it; about 0.15 s for the shipped model.

        Raises BundleMissing where nothing was composed, BundleDamaged where a file differs from its checksum, is not
        named by the manifest, is a link or a pickle, or where the graph points to weights outside the folder.
        """
        manifest = read_manifest(path)
        check_folder(path, manifest)
        return Bundle(path, manifest)

    @property
    def model_version(self) -> str:
        """`<bundle version>+<first 12 hex digits of the digest over all its files>`."""
        return f"{self.manifest.version}+{digest_of(self.manifest.files)[:12]}"

    @property
    def graph(self) -> Path:
        """The ONNX graph: input_ids and attention_mask int64 [rows, length] to last_hidden_state float32."""
        return self.file(GRAPH)

    def file(self, name: str) -> Path:
        """A file of the bundle. Raises BundleDamaged where the bundle has none of that name."""
        if name not in self.manifest.files:
            raise BundleDamaged(f"the bundle at {self.path} has no {name}; compose it anew")
        return self.path / name

    def tokenizer(self) -> Tokenizer:
        """A new tokenizer that neither truncates nor pads (the base package's file does both)."""
        return read_tokenizer(self.file(TOKENIZER))

    def calibration(self) -> Calibration | None:
        """The fitted calibration; None where the bundle was shipped without one."""
        return Calibration.load(self.path / CALIBRATION) if CALIBRATION in self.manifest.files else None

    def reading_trust(self) -> ReadingTrust:
        """The learned one; the hand-set one where the bundle was shipped without."""
        known = READING_TRUST in self.manifest.files
        return ReadingTrust.load(self.path / READING_TRUST) if known else HAND_SET

    def linker(self) -> ConceptLinker | None:
        """Says what clauses mean; None where the bundle was shipped without, or with one that was learned behind other heads.

        Raises BundleDamaged where it cannot be read.
        """
        from nlp_core.concept_linker import ConceptLinker

        return self._behind_its_heads(LINKER, ConceptLinker.load)

    def matcher(self) -> CaseMatcher | None:
        """Weighs what sentences say as a whole; None and raises as `linker`."""
        from nlp_core.case_matcher import CaseMatcher

        return self._behind_its_heads(MATCHER, CaseMatcher.load)

    def _behind_its_heads(self, name: str, load: Callable[[Path], LearnedT]) -> LearnedT | None:
        files = self.manifest.files
        if name not in files or HEAD_WEIGHTS not in files:
            return None
        try:
            learned = load(self.path / name)
        except (OSError, ValueError) as error:
            raise BundleDamaged(f"the bundle's {name} cannot be read: {error}") from error
        return learned if learned.heads == files[HEAD_WEIGHTS].sha256 else None

    def knowledge(self) -> Knowledge:
        """The compiled knowledge, parsed once (a tenth of a second). Raises BundleDamaged where composing did not write it."""
        if self._knowledge is None:
            self._knowledge = Knowledge.load(self.file(KNOWLEDGE))
        return self._knowledge

    def lexicons(self) -> Lexicons:
        """The compiled names of the knowledge. Raises BundleDamaged where composing did not write them."""
        from nlp_core.lexicon_names import load_lexicons

        with lasting_objects():
            return load_lexicons(self.file(LEXICONS))

    def shares(self) -> ShareTables:
        """The compiled shares of the knowledge. Raises BundleDamaged where composing did not write them."""
        from nlp_core.share_tables import ShareTables

        return ShareTables.load(self.file(SHARES))

    def spelling(self) -> Spelling:
        """The words that slips of the keyboard are mended by. Raises BundleDamaged where composing did not write them."""
        from nlp_core.spelling import Spelling

        return Spelling.load(self.file(SPELLING))

    def second_reader(
        self,
        *,
        threads: int = 1,
        used: HeadsUsed | None = None,
        health: DeviceHealth | None = None,
        remember: Remember | None = None,
    ) -> SecondReader:
        """What reads with the encoder after the names. threads: 0 = all. used: which heads count; None = the usual. health:
        told of faults of the device it runs on. remember: gives the memory of sentences read before; not asked where
        `used` needs more of a reading than is kept.

        Raises BundleDamaged where composing did not write the vectors of names.
        """
        from nlp_core.onnx_encoder import open_encoder
        from nlp_core.remembered_sentences import RememberedSentences
        from nlp_core.second_reader import HeadsUsed
        from nlp_core.sentence_readings import SentenceEncoder

        encoder = open_encoder(self, threads=threads, health=health)
        if not encoder.has_heads:
            return self.second_reader_with(encoder, None, used)
        used = used or HeadsUsed()
        if remember and used.finding:
            remembered = RememberedSentences(encoder, self.tokenizer(), remember(self.model_version))
            return self.second_reader_with(encoder, remembered, used)
        return self.second_reader_with(encoder, SentenceEncoder(encoder, self.tokenizer()), used)

    def second_reader_with(
        self,
        encoder: Encoder,
        sentences: SentenceEncoder | None,
        used: HeadsUsed | None = None,
        trust: ReadingTrust | None = None,
    ) -> SecondReader:
        """The same with another way of running the encoder. trust: None = the bundle's own, and its linker where it has one."""
        from nlp_core.concepts import ConceptReader
        from nlp_core.name_index import NameIndex
        from nlp_core.second_reader import HeadsUsed, SecondReader

        used = used or HeadsUsed()
        backgrounds = {finding.id: finding.background for finding in self.knowledge().findings.values()}
        index, linker = NameIndex.load(self.file(NAMES)), None if trust else self.linker()
        concepts = ConceptReader(encoder, index, backgrounds, trust or self.reading_trust(), linker)
        return SecondReader(concepts, sentences, used)


def digest_of(files: Mapping[str, StoredFile]) -> str:
    """Hex SHA-256 over names and checksums."""
    lines = "".join(f"{name} {files[name].sha256}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a tokenizer.json, without the truncation and padding that the file may ask for."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def shipped_files(shipped: Path = SHIPPED_BUNDLE) -> dict[str, StoredFile]:
    """The files of a shipped bundle as they lie there, manifest and (where there is one) calibration included.

    Raises BundleMissing or BundleDamaged where the folder is no shipped bundle.
    """
    names = [MANIFEST, *read_manifest(shipped).files]
    names += [name for name in BESIDE if (shipped / name).exists()]
    try:
        return {name: stored_file(shipped / name) for name in names}
    except OSError as error:
        raise BundleDamaged(f"the shipped bundle lacks a file: {error}; install dxspan anew") from error


def composed_bundle_path(knowledge: Iterable[Path] | None = None, *, shipped: Path = SHIPPED_BUNDLE) -> Path:
    """Where set-up composes the bundle: inside this Python installation, one folder per content.

    knowledge: the knowledge files that composing compiles in; None = those of this package.
    """
    paths = knowledge_paths() if knowledge is None else knowledge
    sources = {f"knowledge {path.parent.name}/{path.name}": stored_file(path) for path in [*paths, *COMPILED_BY]}
    digest = digest_of({**shipped_files(shipped), **sources})
    return Path(sys.prefix) / "share" / "dxspan" / digest[:16]
