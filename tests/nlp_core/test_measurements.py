import pytest

from nlp_core.analytes import Thresholds
from nlp_core.measurements import MeasurementReader

READER = MeasurementReader(Thresholds([]))


@pytest.mark.parametrize(
    ("text", "analyte", "value"),
    [
        ("T 39.2 C", "temperature", 39.2),
        ("temperature of 101.3 F", "temperature", 38.5),
        ("体温39.5℃", "temperature", 39.5),
        ("HR 120", "heart_rate", 120),
        ("WBC 15,200/mm3", "leukocytes", 15.2),
        ("白细胞 15.2×10^9/L", "leukocytes", 15.2),
        ("K 6.2", "potassium", 6.2),
        ("血钾6.2 mmol/L", "potassium", 6.2),
        ("creatinine was 190 umol/L", "creatinine", 2.149),
        ("glucose 12.6 mmol/L", "glucose", 227.0),
        ("SpO2 88% on room air", "oxygen_saturation", 88),
        ("BP 182/110 mmHg", "systolic_pressure", 182),
    ],
)
def test_a_written_value_is_read_in_its_unit(text: str, analyte: str, value: float):
    found = {m.analyte.id: m for m in READER.find(text)}
    assert found[analyte].value == pytest.approx(value, rel=1e-3)
    assert text[found[analyte].start : found[analyte].end]


@pytest.mark.parametrize("text", ["temperature 250", "pt is 45", "a P wave", "grade 3/6 murmur", "HR department 2"])
def test_what_is_no_value_is_not_read(text: str):
    assert [m for m in READER.find(text) if m.analyte.id in ("temperature", "heart_rate")] == []


@pytest.mark.parametrize(
    ("text", "analyte", "value"),
    [
        ("urine RBC 30-40/HPF", "urine_erythrocytes", 35),
        ("尿红细胞 30～40/HP", "urine_erythrocytes", 35),
        ("T 38-39°C", "temperature", 38.5),
        ("fever of 101 to 103 F", "temperature", 38.889),
        ("TSH 0.27-4.2 mIU/L", "tsh", 2.235),
        ("platelets 45-50 K/uL", "platelets", 47.5),
        ("WBC 15 to 8", "leukocytes", 15),  # a fall, not a range
        ("troponin I 500 - 2 hours later", "troponin_i", 500),
        ("conventional troponin 0.03 ng/mL", "conventional_troponin_i", 30),
        ("Conventional cTnT was 0.02 ng/mL", "conventional_troponin_t", 20),
        ("常规肌钙蛋白I 0.03 ng/mL", "conventional_troponin_i", 30),
        ("hs-troponin I 30 ng/L", "troponin_i", 30),
    ],
)
def test_of_a_range_the_middle_is_read(text: str, analyte: str, value: float):
    found = {m.analyte.id: m.value for m in READER.find(text)}
    assert found[analyte] == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    "text",
    [
        "prostate Ca 12 years ago",
        "potassium 10 mEq by mouth",
        "potassium 10-20 mEq by mouth",
        "ALT 10 times the upper limit",
        "platelets 3 days ago",
        "sputum WBC 30-40/LPF",
        "WBC 10-15/HPF",
        "氯化钾 10 ml",
        "左甲状腺素钠 100μg",
        "pleural fluid LDH 800 U/L",
        "尿微量白蛋白 25 mg/L",
        "central venous oxygen saturation 60%",
    ],
)
def test_a_number_of_something_else_is_not_read(text: str):
    assert [m for m in READER.find(text) if m.analyte.id != "venous_oxygen_saturation"] == []


@pytest.mark.parametrize("text", ["血清钾5.8mmol/L", "电解质：钾 5.8，钠 138", "低钾？钾5.8", "复查钾 5.8"])
def test_a_salt_in_a_drug_is_told_from_the_blood(text: str):
    assert ("potassium", 5.8) in [(m.analyte.id, m.value) for m in READER.find(text)]


@pytest.mark.parametrize(
    ("text", "analyte", "value"),
    [
        ("eosinophils 12%", "eosinophils_percent", 12),
        ("eosinophils 4", "eosinophils_percent", 4),
        ("eosinophils 1,200/\u00b5L", "eosinophils", 1.2),
        ("嗜酸性粒细胞 1.5×10^9/L", "eosinophils", 1.5),
        ("PCT 2 \u03bcg/L", "procalcitonin", 2),
    ],
)
def test_a_name_of_two_analytes_is_told_by_its_unit(text: str, analyte: str, value: float):
    assert [(m.analyte.id, pytest.approx(m.value)) for m in READER.find(text)] == [(analyte, value)]


def test_c21_long_digit_runs_do_not_stall():
    assert list(READER.find("T " + "9" * 50_000)) == []


@pytest.mark.parametrize("text", ["checks her glucose 3 to 4 times daily", "Glucose 3 or 4 times a day"])
def test_how_often_it_is_measured_is_no_value(text: str):
    assert list(READER.find(text)) == []


def test_blanks_without_end_are_read_to_the_end():
    text = "potassium" + ("\t" * 5_000 + "is") * 4 + " x"  # shared out in every way, these would take hours
    assert list(READER.find(text)) == []
