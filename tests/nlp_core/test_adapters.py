"""What training adds is added exactly, and a change that does not fit is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlp_core.adapters import Adapter, AdapterWriter, whole_numbers
from nlp_core.bundle_errors import BundleDamaged

RANDOM = np.random.default_rng(3)


def saved(tmp_path: Path, *, rows: bool = True) -> Adapter:
    writer = AdapterWriter()
    writer.add_low_rank("up.weight", RANDOM.normal(size=(6, 2)) / 50, RANDOM.normal(size=(2, 4)))
    if rows:
        writer.add_rows("words.weight", np.array([5, 1]), np.array([[0.25, -1.0], [3.0, 0.5]]))
    writer.save(tmp_path / "adapter.safetensors")
    return Adapter.open(tmp_path / "adapter.safetensors")


def test_a_low_rank_change_is_the_product_within_the_rounding_of_its_numbers(tmp_path: Path) -> None:
    out, inner = RANDOM.normal(size=(6, 2)), RANDOM.normal(size=(2, 4))
    writer = AdapterWriter()
    writer.add_low_rank("up.weight", out, inner)
    base = RANDOM.normal(size=(6, 4)).astype(np.float32)
    changed = writer.adapter().applied("up.weight", base)
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed, base + out @ inner, atol=1e-3)


def test_new_rows_replace_the_old_ones_and_no_others(tmp_path: Path) -> None:
    base = np.arange(16, dtype=np.float32).reshape(8, 2)
    changed = saved(tmp_path).applied("words.weight", base)
    np.testing.assert_array_equal(changed[[5, 1]], [[0.25, -1.0], [3.0, 0.5]])
    others = [0, 2, 3, 4, 6, 7]
    np.testing.assert_array_equal(changed[others], base[others])


def test_rows_behind_the_last_lengthen_the_tensor(tmp_path: Path) -> None:
    writer = AdapterWriter()
    writer.add_rows("words.weight", np.array([1, 4, 3]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), length=5)
    writer.save(tmp_path / "adapter")
    adapter = Adapter.open(tmp_path / "adapter")
    base = np.full((3, 2), 7, np.float32)
    longer = [[7, 7], [1, 2], [7, 7], [5, 6], [3, 4]]
    np.testing.assert_array_equal(adapter.applied("words.weight", base), longer)
    np.testing.assert_array_equal(adapter.lengthened("words.weight", base), [*[[7, 7]] * 3, [0, 0], [0, 0]])
    np.testing.assert_array_equal(adapter.applied("words.weight", adapter.lengthened("words.weight", base)), longer)
    assert adapter.changes == {"words.weight"}
    with pytest.raises(BundleDamaged, match="nothing for row 2"):
        adapter.applied("words.weight", base[:2])
    with pytest.raises(BundleDamaged, match="5 rows"):
        adapter.applied("words.weight", np.zeros((6, 2), np.float32))


def test_a_tensor_without_a_change_is_the_base_own(tmp_path: Path) -> None:
    base = np.ones((3, 3), np.float32)
    assert saved(tmp_path).applied("elsewhere.weight", base) is base


def test_the_same_changes_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        writer = AdapterWriter()
        writer.add_low_rank("up.weight", np.full((6, 2), 0.1), np.full((2, 4), 0.3))
        writer.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("name", "shape"),
    [("up.weight", (5, 4)), ("up.weight", (1, 4)), ("words.weight", (4, 2)), ("words.weight", (8, 3))],
)
def test_a_change_of_another_shape_is_refused(tmp_path: Path, name: str, shape: tuple[int, int]) -> None:
    with pytest.raises(BundleDamaged, match=name):
        saved(tmp_path).applied(name, np.zeros(shape, np.float32))


def test_a_file_that_is_no_adapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter.safetensors").write_bytes(b"not an adapter")
    with pytest.raises(BundleDamaged):
        Adapter.open(tmp_path / "adapter.safetensors")


@pytest.mark.parametrize("values", [np.zeros(3), np.array([1e-30, -1e-31]), np.array([1e6, -3.0]), np.zeros((0, 4))])
def test_whole_numbers_keep_four_digits_of_the_largest(values: np.ndarray) -> None:
    whole, exponent = whole_numbers(values)
    np.testing.assert_allclose(whole * 2.0**-exponent, values, atol=1e-4 * float(np.abs(values).max(initial=0)))


def test_an_adapter_names_what_it_changes(tmp_path: Path) -> None:
    assert saved(tmp_path).changes == {"up.weight", "words.weight"}
