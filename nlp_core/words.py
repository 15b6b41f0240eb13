"""Words as the lexicon compares them: lower case, inflection removed, Chinese one character at a time.

Names of the knowledge and words of the notes pass through here and nowhere else, so that they meet.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache

import snowballstemmer
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from nlp_core.text_view import view

_CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff"
_LETTER = rf"[^\W\d_{_CHINESE}]"
_TOKEN = re.compile(
    rf"([ \t]*\n\s*|{_LETTER}(?:{_LETTER}|\d)*(?:['’]{_LETTER}+)*|\d+(?:[.,]\d+)*|[{_CHINESE}]|.)( (?!\s))?", re.DOTALL
)
"""A token and the single blank behind it, if there is one; the last alternative takes any character."""

FILLERS = frozenset("a an the his her their my your its of in on at to for with and or by from".split())
"""Words that carry no meaning of their own in a name."""

_ALSO_WORDS = frozenset(
    (
        "aid aids all am an as at be by cap cat dash do doe does ed fit fall gas go had ha has he hit hot if is it"
        " ibs le lad led map mace mass me met mg mi ms my no oa of on or pad pad pan pat pe pet pms pots ra rash rust"
        " sad sam so sob spa steps stop tb tag tap tea ten to tip up us we who ad dm mm cm pn pr ph pt ca da ic"
    ).split()
)
"""Abbreviations that are words, too: they count only when written in capitals."""

_IRREGULAR = {
    "feet": "foot",
    "teeth": "tooth",
    "swollen": "swell",
    "bled": "bleed",
    "worse": "worsen",
    "felt": "feel",
    "broke": "break",
    "broken": "break",
    "threw": "throw",
    "thrown": "throw",
    "lost": "lose",
    "loss": "lose",
    "vomited": "vomit",
    "men": "man",
    "women": "woman",
    "children": "child",
    "ached": "ache",
    "aching": "ache",
    "achy": "ache",
    "painful": "pain",
    "pains": "pain",
    "itchy": "itch",
    "dizzy": "dizzi",
    "haem": "hem",
    "pruritic": "itch",
    "pruritus": "itch",
    "itching": "itch",
    "erythematous": "erythema",
    "edematous": "edema",
    "tumour": "tumor",
    "nauseated": "nausea",
    "nauseous": "nausea",
    "febrile": "fever",
    "feverish": "fever",
    "dyspneic": "dyspnea",
    "tachycardic": "tachycardia",
    "tachypneic": "tachypnea",
    "hypotensive": "hypotension",
    "hypoxic": "hypoxia",
    "icteric": "jaundice",
    "jaundiced": "jaundice",
    "anorexic": "anorexia",
    "lethargic": "lethargy",
    "ulcerated": "ulcer",
    "ulceration": "ulcer",
    "tenderness": "tender",
    "weakness": "weak",
    "numbness": "numb",
    "stiffness": "stiff",
    "hoarseness": "hoarse",
    "redness": "red",
    "tiredness": "tire",
    "tired": "tire",
    "oedema": "edema",
    "diarrhoea": "diarrhea",
    "dyspnoea": "dyspnea",
    "anaemia": "anemia",
    "haematuria": "hematuria",
    "haemoptysis": "hemoptysis",
    "haematemesis": "hematemesis",
    "oesophageal": "esophageal",
    "orthopnoea": "orthopnea",
    "apnoea": "apnea",
    "leucocytosis": "leukocytosis",
    "coloured": "colored",
    "colour": "color",
    "paediatric": "pediatric",
    "foetal": "fetal",
    "goitre": "goiter",
    "tachypnoea": "tachypnea",
}

_of_this_thread = threading.local()  # a stemmer keeps the word it works on in itself


class ChartTokenizer:
    """Cuts text into words, numbers, line breaks, single Chinese characters and single marks.

    In one pass: spaCy's own tokenizer takes seconds for a Chinese page, which to it is one word without blanks.
    """

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab

    def __call__(self, text: str) -> Doc:
        """A document whose text is `text`, character for character."""
        found = _TOKEN.findall(text)
        return Doc(self._vocab, words=[word for word, _ in found], spaces=[blank != "" for _, blank in found])


def blank_pipeline() -> Language:
    """A spaCy pipeline that only cuts text into tokens."""
    nlp = Language()  # spacy.blank("en") would take a tenth of a second for exceptions that are not used
    nlp.tokenizer = ChartTokenizer(nlp.vocab)
    nlp.max_length = 10_000_000
    return nlp


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The form under which `word` is compared; empty for words that never matter."""
    lowered = word.lower().strip(".'’")
    lowered = lowered.removesuffix("'s").removesuffix("’s")
    lowered = _IRREGULAR.get(lowered, lowered)
    if not lowered or not lowered[0].isalnum():
        return ""
    if not lowered.isascii():
        return lowered
    if len(lowered) <= 3 or not lowered.isalpha():
        return lowered
    if not hasattr(_of_this_thread, "stemmer"):
        _of_this_thread.stemmer = snowballstemmer.stemmer("english")
    return str(_of_this_thread.stemmer.stemWord(lowered))


def name_stems(name: str, nlp: Language) -> tuple[str, ...]:
    """The stems of a name in order, fillers left out, characters seen as a note's. Names that consist of fillers alone give ()."""
    stems = ((token, _stem_in_case(token.text)) for token in nlp.make_doc(view(name).text))
    return tuple(found for token, found in stems if found and (token.lower_ not in FILLERS or found[0] == "="))


def written_ways(name: str) -> tuple[str, ...]:
    """`name` and, where it speaks of pain in Chinese, its other spelling: 疼痛 and 痛 are one word in charts."""
    if "疼痛" in name:
        return name, name.replace("疼痛", "痛")
    return (name, name.replace("痛", "疼痛")) if "痛" in name else (name,)


def doc_stems(tokens: Doc | Span) -> list[str]:
    """One stem per token (`""` for punctuation and blanks)."""
    if _is_shouted(tokens):
        return [stem(token.text) for token in tokens]
    return [_stem_in_case(token.text) for token in tokens]


def _stem_in_case(word: str) -> str:
    """`=as` for AS the disease, `as` for the word."""
    lowered = word.lower()
    return f"={lowered}" if len(word) > 1 and word.isupper() and lowered in _ALSO_WORDS else stem(word)


def _is_shouted(tokens: Doc | Span) -> bool:
    """IN TEXT LIKE THIS capitals tell nothing."""
    words = [token.text for token in tokens if token.text.isascii() and token.text.isalpha() and len(token.text) > 2]
    return len(words) > 3 and sum(word.isupper() for word in words) > 0.6 * len(words)
