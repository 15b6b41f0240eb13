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
    ],
)
def test_age_and_sex(text: str, age: float | None, sex: str):
    found = demographics_of(text)
    assert found.sex == sex
    assert found.age_years == (pytest.approx(age) if age is not None else None)
