import pytest

from nlp_core.demographics import demographics_of


@pytest.mark.parametrize(
    ("text", "age", "sex"),
    [
        ("A 48-year-old woman presents", 48, "female"),
        ("78F with cough", 78, "female"),
        ("3 y/o M", 3, "male"),
        ("8-month-old boy", 8 / 12, "male"),
        ("A 3-day-old newborn", 3 / 365.25, "unknown"),
        ("男，3岁，发热2天", 3, "male"),
        ("主诉：发热2天。患者女，38岁", 38, "female"),
        ("She has a cough", None, "female"),
        ("no one to speak of", None, "unknown"),
        ("患儿，女，8个月", 8 / 12, "female"),
        ("Breast clinic. F 54.\nLump for 6 mo.", 54, "female"),
        ("Ward note. M 68, farmer. Back pain 5 mo.", 68, "male"),
        ("Admission. 35F, G1P0. Leg swelling 1 mo.", 35, "female"),
        ("Leg swelling for 1 mo.", None, "unknown"),  # a duration is no age
        ("6 mo F with fever", 0.5, "female"),
        ("My wife is 34, and her back hurts. He says it is a disc.", 34, "female"),
        ("I'm 45 and I have chest pain.", 45, "unknown"),
        ("I am 20 weeks pregnant and itch all over.", None, "female"),
        ("Lower abdominal pain, LMP 11 days ago. New boyfriend; he had a discharge.", None, "female"),
        ("His prostate is enlarged on rectal examination; LUTS.", None, "male"),
        ("我妈今年62，头晕", 62, "female"),
        ("停经45天，腹痛", None, "female"),
        ("一名28岁的女设计师被丈夫送来就诊", 28, "female"),
        ("女大学生，21岁，躯干红斑10天，有男友", 21, "female"),
        ("脚疼。我男的，43岁，做生意。", 43, "male"),
        ("Vitamin F 54.3 mg/dL", None, "unknown"),
        ("Hi, I'm 34 years old and my period is late.", 34, "female"),
        ("Can walk 50 m before chest pain.", None, "unknown"),
        ("Temp 101 F, HR 90. Woman with cough.", None, "female"),
        ("T-max 100 F. A 35-year-old man.", 35, "male"),
        ("The 3-day-old rash itches.", None, "unknown"),
        ("家族史：母亲，60岁。患者女性，30岁", 30, "female"),
        ("病程3天，女，3个月", 0.25, "female"),
        ("Admission. 47F. Cough.", 47, "female"),
        ("ED note. 74M. Breathless.", 74, "male"),
        ("Temp: 101 F. Cough.", None, "unknown"),
        ("Paediatric ward. M, 8 months. Crying.", 8 / 12, "male"),
        ("Neonatal clinic. F, 12 days, first child.", 12 / 365.25, "female"),
        ("Came in with M, 3 days of cough.", None, "unknown"),
        ("急诊 男 56岁 胸痛", 56, "male"),
        ("外科急诊 女/49岁 腹痛", 49, "female"),
        ("我63岁，女的，头晕", 63, "female"),
        ("我53岁，女。肩膀疼", 53, "female"),
        ("我53岁，女儿带我来的", 53, "unknown"),
        ("我22岁，大四女生，咳嗽", 22, "female"),
        ("我婆婆67岁，膝盖疼", 67, "female"),
    ],
)
def test_age_and_sex(text: str, age: float | None, sex: str):
    found = demographics_of(text)
    assert found.sex == sex
    assert found.age_years == (pytest.approx(age) if age is not None else None)
