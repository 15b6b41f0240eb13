import pytest

from nlp_core.lexicon import Lexicon
from nlp_core.words import blank_pipeline, doc_stems

NAMES = [
    ("elbow_pain", "elbow pain"),
    ("chest_pain", "chest pain"),
    ("chest_pain", "胸痛"),
    ("pleuritic_chest_pain", "pleuritic chest pain"),
    ("knee_swelling", "swollen knee"),
    ("joint_redness", "joint redness"),
    ("ankylosing_spondylitis", "AS"),
    ("exertional_dyspnea", "DOE"),
    ("copd", "COPD"),
    ("abdominal_pain", "abdominal pain"),
    ("abdominal_pain", "腹痛"),
    ("fever", "fever"),
    ("guillain_barre", "吉兰-巴雷综合征"),
    ("elevated_troponin", "high troponin"),
]


@pytest.fixture(scope="module")
def find():
    nlp = blank_pipeline()
    lexicon = Lexicon.of(NAMES, nlp)

    def found(text: str) -> set[tuple[str, str]]:
        doc = nlp.make_doc(text)
        words = [token.lower_ for token in doc]
        return {(m.entry, doc[m.start : m.end].text) for m in lexicon.find(words, doc_stems(doc))}

    return found


def test_a_name_is_found_in_its_own_order(find):
    assert find("He has chest pain.") == {("chest_pain", "chest pain")}


def test_a_name_is_found_with_head_first(find):
    assert find("pain in the right elbow") == {("elbow_pain", "pain in the right elbow")}


def test_a_list_of_heads_shares_its_place(find):
    assert ("joint_redness", "redness and swelling of the big joint") in find(
        "severe pain, redness and swelling of the big joint"
    )


def test_words_may_stand_between(find):
    assert ("chest_pain", "chest and abdominal pain") in find("chest and abdominal pain")


def test_inflection_does_not_matter(find):
    assert find("knees swelling") == find("knee is swollen") or ("knee_swelling", "knee is swollen") in find(
        "knee is swollen"
    )
    assert ("chest_pain", "chest pains") in find("chest pains")


def test_the_longer_name_covers_the_shorter(find):
    assert find("pleuritic chest pain") == {("pleuritic_chest_pain", "pleuritic chest pain")}


def test_names_do_not_reach_over_clauses(find):
    assert find("Chest clear, leg pain.") == set()
    assert find("pain in the leg; elbow normal") == set()


def test_chinese_names_are_found_without_blanks_and_疼痛_is_痛(find):
    assert find("患者腹痛2天") == {("abdominal_pain", "腹痛")}
    assert find("腹部不适，胸疼痛") == {("chest_pain", "胸疼痛")}


def test_abbreviations_that_are_words_count_only_in_capitals(find):
    assert find("he does as he likes") == set()
    assert find("known AS and DOE") == {("ankylosing_spondylitis", "AS"), ("exertional_dyspnea", "DOE")}
    assert find("copd") == {("copd", "copd")}


def test_text_in_capitals_is_read_too(find):
    assert find("THE PATIENT HAS CHEST PAIN AS BEFORE AND FEVER") == {("chest_pain", "CHEST PAIN"), ("fever", "FEVER")}


def test_words_of_a_note_are_not_kept() -> None:
    lexicon = Lexicon.of([("cough", "cough")], blank_pipeline())
    lexicon.find(["john", "coughs", "123456"], ["john", "cough", "123456"])
    assert set(lexicon._seen) == {"cough"}


@pytest.mark.parametrize("hyphen", ["-", "–", "—", "·", ""])
def test_a_chinese_name_with_a_hyphen_is_found_however_it_is_written(find, hyphen: str):
    assert find(f"考虑吉兰{hyphen}巴雷综合征可能") == {("guillain_barre", f"吉兰{hyphen}巴雷综合征")}


@pytest.mark.parametrize("text", ["吉兰，巴雷综合征", "吉兰 和巴雷综合征", "吉兰--巴雷综合征", "胸-腹部痛"])
def test_other_marks_divide_chinese_names(find, text: str):
    assert find(text) == set()


@pytest.mark.parametrize("how", ["high-sensitivity troponin", "high sensitivity troponin", "High-sensitive troponin"])
def test_how_something_is_measured_is_no_high_value(find, how: str):
    assert find(f"{how} 5 ng/L") == set()
    assert find("high troponin") == {("elevated_troponin", "high troponin")}
