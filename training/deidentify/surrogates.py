"""What stands in an identifier's place: made from it by a keyed hash, so that the same is the same everywhere.

Input : "Smith" in the chart of one patient     Output: "Tolvenar", in each of this patient's notes and coded fields
Knows the secret. Without it nobody gets from a surrogate back to a person or checks a guess. Names are syllables that are
no words and no names, numbers are letters, so no surrogate is taken for, or is by chance, somebody's identifier.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

from training.deidentify.kinds import Found, Kind
from training.deidentify.text_folding import bare, folded
from training.deidentify.vocabulary import Vocabulary

SHORTEST_KEY = 32
"""Characters of the key file."""
_ONSETS = "b br d dr f fl g gr h j k kl l m n p pr r s sk t tr v z".split()
_VOWELS = "a e i o u ai ou ei".split()
_CODAS = "l n r s t m k nd rt x v d".split()
_FAMILY, _GIVEN = "柘逄亓郗麹啜爨妫佴仉禚", "垚叒犇焱燚淼畾磊赑骉"
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_CJK = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?\d*")
_CREDENTIALS = frozenset({"md", "do", "rn", "np", "phd", "pa", "dr", "mr", "mrs", "ms"})
_LINK_WORDS = frozenset("of the and de la del van von der da bin al el le du".split())
_REMEMBERED = 200_000
EVERYONE = ""
"""The scope of staff and facilities: one surrogate in all charts."""


def read_key(path: Path) -> bytes:
    """The secret of a run. Raises ValueError or FileNotFoundError, without the key's content."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such key file; make one with: (umask 077; openssl rand -hex 32 > {path})")
    key = path.read_bytes().strip()
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"{path}: the key has {len(key)} characters, {SHORTEST_KEY} are the fewest")
    return key


class Surrogates:
    """Makes surrogates. `words`: what none of them may be."""

    def __init__(self, key: bytes, words: Vocabulary) -> None:
        self._key = key
        self._taken = words
        self._ids: dict[str, str] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._written: dict[tuple[str, str | frozenset[str]], str] = {}
        """By name and its scope, or by place and the words it keeps."""

    def fingerprint(self) -> str:
        """Tells one key from another and nothing else."""
        return self._digest("fingerprint", "", "").hex()[:16]

    def shift(self, patient: str, most: int = 365) -> int:
        """The patient's date shift in days: -most to most, never 0."""
        drawn = int.from_bytes(self._digest("shift", patient, "")[:8], "big") % (2 * most)
        return drawn - most if drawn < most else drawn - most + 1

    def id(self, value: str) -> str:
        """In place of a resource's id or an identifier's value: a UUID. One and the same wherever `value` stands."""
        known = self._ids.get(value)
        if known is None:
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            text = value.lower() if _UUID.fullmatch(value) else value
            drawn = self._digest("id", "", text).hex()
            known = f"{drawn[:8]}-{drawn[8:12]}-{drawn[12:16]}-{drawn[16:20]}-{drawn[20:32]}"
            self._ids[value] = known
        return known

    def person(self, name: str, scope: str) -> str:
        """In place of a person's name: word for word, in the same case; titles and initials' points stay."""
        known = self._written.get((name, scope))
        return known or self._remember((name, scope), self._person(name, scope))

    def _person(self, name: str, scope: str) -> str:
        if _CJK.search(name):
            return self._chinese_name(name, scope)
        return _WORD.sub(lambda match: self._name_word(match.group(), scope), name)

    def place(self, name: str, keep: frozenset[str]) -> str:
        """In place of a town, street or facility; words of `keep` ("hospital") stay, numbers go."""
        known = self._written.get((name, keep))
        return known or self._remember((name, keep), self._place(name, keep))

    def _remember(self, key: tuple[str, str | frozenset[str]], made: str) -> str:
        """A chart names the same few people and places in every resource."""
        if len(self._written) >= _REMEMBERED:
            self._written.clear()
        self._written[key] = made
        return made

    def _place(self, name: str, keep: frozenset[str]) -> str:
        if _CJK.search(name):
            return self._chinese_place(name)
        pieces = re.split(r"(\s+)", name)
        return "".join(
            piece if not piece.strip() or _stays(piece, keep) else self._place_word(piece) for piece in pieces
        )

    def number(self, value: str) -> str:
        """In place of a number: letters for its letters and digits, marks where they were."""
        drawn = self._stream("number", "", bare(value), len(value))
        return "".join(chr(65 + drawn[at] % 26) if mark.isalnum() else mark for at, mark in enumerate(value))

    def replacement(self, piece: str, found: Found, scope: str, keep: frozenset[str]) -> str:
        """In place of what was found in a note, dates apart."""
        if found.kind is Kind.NAME:
            return self.person(piece, EVERYONE if found.staff else scope)
        if found.kind is Kind.PLACE:
            return self.place(piece, keep)
        if found.kind is Kind.EMAIL:
            return f"{self._code(piece)}@example.invalid"
        if found.kind is Kind.URL:
            return f"https://example.invalid/{self._code(piece)}"
        if found.kind is Kind.PHOTO:
            return f"{self._code(piece)}.image"
        return self.number(piece)

    def _code(self, value: str) -> str:
        return "".join(chr(97 + byte % 26) for byte in self._digest("code", "", value.lower())[:8])

    def _name_word(self, word: str, scope: str) -> str:
        plain = folded(word)
        if plain.lower() in _LINK_WORDS | _CREDENTIALS:
            return word
        if len(plain) == 1:
            return chr(65 + self._digest("initial", scope, plain.lower())[0] % 26)
        return _in_case(self._made(scope, plain.lower()), plain)

    def _made(self, scope: str, word: str) -> str:
        """Two or three syllables that are no word, drawn again until they are none."""
        known = self._names.get((scope, word))
        if known:
            return known
        for turn in range(64):
            drawn = self._digest(f"name{turn}", scope, word)
            made = "".join(
                _ONSETS[drawn[3 * at] % len(_ONSETS)] + _VOWELS[drawn[3 * at + 1] % len(_VOWELS)]
                for at in range(2 + drawn[11] % 2)
            )
            made += _CODAS[drawn[12] % len(_CODAS)]
            if made not in self._taken.ordinary and made not in self._taken.names and len(made) > 5:
                break
        if len(self._names) >= _REMEMBERED:
            self._names.clear()
        self._names[scope, word] = made
        return made

    def _place_word(self, word: str) -> str:
        plain = folded(word)
        letters = [match for match in _WORD.finditer(plain) if not match.group()[0].isdigit()]
        if any(letter.isdigit() for letter in plain) or not letters:
            return self.number(word)
        return _WORD.sub(lambda match: _in_case(self._made("place", match.group().lower()), match.group()), plain)

    def _chinese_name(self, name: str, scope: str) -> str:
        drawn = self._stream("chinese", scope, bare(name), len(name) + 1)
        family = _FAMILY[drawn[0] % len(_FAMILY)]
        given = "".join(
            _GIVEN[byte % len(_GIVEN)] if "\u3400" <= mark <= "\u9fff" else mark
            for byte, mark in zip(drawn[1:], name[1:], strict=False)
        )
        return family + given

    def _chinese_place(self, name: str) -> str:
        drawn = self._stream("chinese place", "", bare(name), len(name))
        ending = re.search(r"(?:医院|卫生院|诊所|大学|学院|中学|小学|公司|市|县|区|镇|乡|村|路|街|号|室)$", name)
        stem = _FAMILY[drawn[0] % len(_FAMILY)] + _GIVEN[drawn[-1] % len(_GIVEN)]
        return stem + (ending.group() if ending else "")

    def _stream(self, purpose: str, scope: str, value: str, size: int) -> bytes:
        drawn = self._digest(purpose, scope, value)
        while len(drawn) < size:
            drawn += hashlib.sha256(drawn + self._key).digest()
        return drawn

    def _digest(self, purpose: str, scope: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{purpose}\0{scope}\0{value}".encode("utf-8", "surrogatepass"), "sha256")


def _stays(word: str, keep: frozenset[str]) -> bool:
    bare_word = folded(word).lower().strip(".,'")
    return bare_word in keep or bare_word in _LINK_WORDS


def _in_case(made: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return made.upper()
    return made.capitalize() if like[0].isupper() else made
