import pytest

from nlp_core.assertion import assertion_of
from nlp_core.sections import sentences
from nlp_core.text_view import view
from nlp_core.triggers import AssertionRules
from nlp_core.words import blank_pipeline


@pytest.fixture(scope="module")
def asserted():
    nlp = blank_pipeline()
    rules = AssertionRules(nlp)

    def of(text: str, words: str) -> str:
        text = view(text).text
        start = text.index(words)
        for sentence in sentences(text, nlp):
            inside = [t.i for t in sentence.span if t.idx < start + len(words) and t.idx + len(t) > start]
            if inside:
                triggers = rules.triggers(sentence.span.doc)
                return str(assertion_of(inside[0], inside[-1] + 1, sentence.span, sentence.section, triggers))
        raise AssertionError("not found")

    return of


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("He has chest pain.", "chest pain", "present"),
        ("She denies fever, chills, chest pain or cough.", "cough", "absent"),
        ("No evidence of pulmonary embolism.", "pulmonary embolism", "absent"),
        ("Pneumonia was ruled out.", "Pneumonia", "absent"),
        ("No history of asthma.", "history of asthma", "absent"),
        ("Fever: none", "Fever", "absent"),
        ("rule out MI", "MI", "possible"),
        ("possible pneumonia", "pneumonia", "possible"),
        ("PE cannot be excluded.", "PE", "possible"),
        ("History of stroke.", "stroke", "past"),
        ("a 3-day history of cough", "cough", "present"),
        ("PAST MEDICAL HISTORY\nGout, asthma.", "asthma", "past"),
        ("Her father had a myocardial infarction.", "myocardial infarction", "family"),
        ("Family history: breast cancer", "breast cancer", "family"),
        ("His mother reports that he has a fever.", "fever", "present"),
        ("Return if fever develops.", "fever", "conditional"),
        ("Allergies: penicillin causes rash", "rash", "conditional"),
        ("gained weight without eating more, is constipated", "constipated", "present"),
        ("no improvement of the cough", "cough", "present"),
        ("He denies chest pain but reports palpitations.", "palpitations", "present"),
        # what dates a whole sentence goes on over words that end other rulings
        ("Two years ago he was admitted with pneumonia.", "pneumonia", "past"),
        ("In 2004 she was found to have lymphoma.", "lymphoma", "past"),
        ("Appendectomy 1982 (appendicitis).", "appendicitis", "past"),
        ("The BNP was 1980 with leg edema.", "leg edema", "present"),
        ("At age 4 he had polio.", "polio", "past"),
        ("Two years ago she developed a cough.", "cough", "present"),
        # a word for now ends what tells of former times, and no denial
        ("History of stroke, today with headache.", "headache", "present"),
        ("Denies fever today or chills.", "chills", "absent"),
        ("History of one day of sore throat.", "sore throat", "present"),
        ("CLINICAL HISTORY: Cough.", "Cough", "present"),
        ("Since his stroke four years ago he walks with a cane.", "stroke", "past"),
        ("Headaches since four years ago.", "Headaches", "present"),
        ("Past medical history notable for gout.", "gout", "past"),
        ("无发热、寒战、胸痛。", "胸痛", "absent"),
        ("无发热，咳嗽3天。", "咳嗽", "present"),
        ("否认胸痛、咯血。", "咯血", "absent"),
        ("父亲患糖尿病。", "糖尿病", "family"),
        ("既往高血压病史10年。", "高血压", "past"),
        ("考虑肺炎可能。", "肺炎", "possible"),
        ("如出现胸痛，立即就诊。", "胸痛", "conditional"),
        ("下肢无力2天。", "下肢无力", "present"),
    ],
)
def test_c11_assertion(asserted, text: str, words: str, expected: str):
    assert asserted(text, words) == expected


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("His wife has noticed tremor since spring.", "tremor", "present"),
        ("Her mother is worried about the rash.", "rash", "present"),
        ("We told her father about the murmur.", "murmur", "present"),
        ("母亲诉患儿呕吐。", "呕吐", "present"),
        ("我老婆40岁，头痛两天。", "头痛", "present"),
        ("Her mother had gout.", "gout", "family"),
        ("Everyone in the house has scabies.", "scabies", "family"),
        ("同学得了水痘。", "水痘", "family"),
        ("She sees friends, eats normally.", "eats normally", "present"),
        ("Her friend has chickenpox.", "chickenpox", "family"),
        ("邻居发现他昏迷。", "昏迷", "present"),
        ("有乳腺癌家族史。", "乳腺癌", "family"),
        ("父亲因肝癌去世。", "肝癌", "family"),
        ("No sick contacts, fever or chills.", "fever", "absent"),
    ],
)
def test_whose_a_finding_is_and_who_only_tells_of_it(asserted, text: str, words: str, expected: str):
    assert asserted(text, words) == expected


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("He had hepatitis in 1998.", "hepatitis", "past"),
        ("Pulmonary embolism (2011).", "Pulmonary embolism", "past"),
        ("2015年患乳腺癌。", "乳腺癌", "past"),
        ("Headaches since 2015.", "Headaches", "present"),
        ("Known epilepsy, fell today.", "epilepsy", "past"),
        ("Old lacunar infarct.", "lacunar infarct", "past"),
        ("A 6-year-old boy with fever.", "fever", "present"),
        ("An old man with fever.", "fever", "present"),
        ("He used to have asthma when he was little.", "asthma", "past"),
        ("The cough began two years ago.", "cough", "present"),
        ("Shingles two years ago.", "Shingles", "past"),
        ("小时候得过麻疹。", "麻疹", "past"),
        ("三年前心梗，放了支架。", "心梗", "past"),
        ("3年前无明显诱因出现头痛。", "头痛", "present"),
        ("甲状腺癌术后复查。", "甲状腺癌", "past"),
        ("术后发热3天。", "发热", "present"),
        ("hx of asthma, now wheezing", "wheezing", "present"),
        ("Chest film normal. PMH: gout. FH: nil.", "gout", "past"),
    ],
)
def test_what_is_past_and_what_began_and_lasts(asserted, text: str, words: str, expected: str):
    assert asserted(text, words) == expected


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Hemoptysis - no. Cough - yes.", "Hemoptysis", "absent"),
        ("Fever: no.", "Fever", "absent"),
        ("Skin: no rash.", "Skin", "present"),
        ("The vomiting has stopped.", "vomiting", "absent"),
        ("Fever, night sweats: all denied.", "Fever", "absent"),
        ("I don’t have a fever", "fever", "absent"),
        ("dont have a fever", "fever", "absent"),
        ("No changes suggestive of ischemia.", "ischemia", "absent"),
        ("No fever, suggestive of a viral illness.", "a viral illness", "possible"),
        ("The cough has not resolved.", "cough", "present"),
        ("He denies alcohol use and has jaundice.", "jaundice", "present"),
        ("胸痛：否认", "胸痛", "absent"),
        ("恶心、呕吐均无。", "恶心", "absent"),
        ("头痛2天，头颅CT、血常规均无异常。", "头痛", "present"),
        ("不考虑脑膜炎。", "脑膜炎", "absent"),
        ("腰痛未见好转。", "腰痛", "present"),
        ("关节不肿。", "肿", "absent"),
        ("不仅恶心，还有腹泻。", "恶心", "present"),
        ("否认高血压、糖尿病，冠心病。", "冠心病", "absent"),
    ],
)
def test_denials_and_what_only_looks_like_one(asserted, text: str, words: str, expected: str):
    assert asserted(text, words) == expected


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("?PE", "PE", "possible"),
        ("? appendicitis", "appendicitis", "possible"),
        ("Pneumonia?", "Pneumonia", "possible"),
        ("What can I do about my cough?", "cough", "present"),
        ("Asthma suspected.", "Asthma", "possible"),
        ("Chest pain likely muscular.", "Chest pain", "present"),
        ("I wonder if I have diabetes.", "diabetes", "possible"),
        ("为排除心肌梗死行心电图检查。", "心肌梗死", "possible"),
        ("会不会是心脏病？", "心脏病", "possible"),
        ("查血以明确有无贫血。", "贫血", "possible"),
    ],
)
def test_doubts(asserted, text: str, words: str, expected: str):
    assert asserted(text, words) == expected


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Should bleeding recur, call the ward.", "bleeding", "conditional"),
        ("He should rest because of the fever.", "fever", "present"),
        ("Go to hospital if there is blood in the stool.", "blood in the stool", "conditional"),
        ("Metformin can cause diarrhea.", "diarrhea", "conditional"),
        ("Take ibuprofen for headache when needed.", "headache", "conditional"),
        ("As if tied by a band: headache all day.", "headache", "present"),
        ("Allergies: penicillin. Complaint: hives since today.", "hives", "present"),
        ("一旦出现意识不清立即送医。", "意识不清", "conditional"),
        ("注意观察有无黄疸。", "黄疸", "conditional"),
        ("疼痛时口服布洛芬。", "疼痛", "conditional"),
        ("过敏性鼻炎，流涕3天。", "流涕", "present"),
    ],
)
def test_what_has_not_come_to_pass(asserted, text: str, words: str, expected: str):
    assert asserted(text, words) == expected
