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


def test_c21_long_digit_runs_do_not_stall():
    assert list(READER.find("T " + "9" * 50_000)) == []
