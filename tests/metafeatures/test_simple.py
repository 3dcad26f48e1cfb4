import numpy as np
import pandas as pd
import pytest

from automl_meta.metafeatures import extract_metafeatures


@pytest.fixture(scope="module")
def values() -> dict[str, float]:
    n = 40
    frame = pd.DataFrame(
        {
            "number": np.linspace(0, 1, n),
            "binary": [0.0, 1.0] * (n // 2),
            "holes": [np.nan] * 10 + list(range(n - 10)),
            "colour": ["red", "green", "blue", "red"] * (n // 4),
            "rare": ["once"] + ["often", "rather"] * ((n - 1) // 2) + ["often"],
            "flag": [True, False] * (n // 2),
            "day": pd.date_range("2020-01-01", periods=n),
            "text": [f"a remark of several words {i}" for i in range(n)],
            "row": range(n),
            "same": 1.0,
            "empty": np.nan,
        }
    )
    return dict(extract_metafeatures(frame, ["a"] * 25 + ["b"] * 14 + ["c"], groups=["simple"]).values)


def test_sizes(values: dict) -> None:
    assert (values["n_rows"], values["n_features"], values["n_classes"]) == (40, 11, 3)
    assert values["features_per_row"] == pytest.approx(11 / 40)
    assert values["rows_per_feature"] == pytest.approx(40 / 11)
    assert values["log_n_rows"] == pytest.approx(np.log(40))


def test_kinds_of_columns_are_counted(values: dict) -> None:
    counted = {
        kind: values[f"n_{kind}"] for kind in ("numeric", "categorical", "boolean", "datetime", "text")
    }
    assert counted == {"numeric": 3, "categorical": 2, "boolean": 1, "datetime": 1, "text": 1}
    assert (values["n_identifier"], values["n_constant"]) == (1, 2)
    assert values["categorical_to_numeric"] == values["numeric_to_categorical"] == 1.0
    assert values["n_binary"] == 2


def test_what_is_missing(values: dict) -> None:
    assert values["missing_share"] == pytest.approx(50 / 440)
    assert values["columns_with_missing_share"] == pytest.approx(2 / 11)
    assert values["rows_with_missing_share"] == pytest.approx(10 / 40)
    assert values["column_missing_share_max"] == 1.0


def test_levels(values: dict) -> None:
    assert (values["n_levels_min"], values["n_levels_max"], values["n_levels_sum"]) == (2, 3, 8)
    assert values["rare_level_share"] == pytest.approx(1 / 8)


def test_classes(values: dict) -> None:
    assert values["class_share_max"] == pytest.approx(25 / 40)
    assert values["class_share_min"] == pytest.approx(1 / 40)
    assert values["imbalance_ratio"] == 25
    assert values["class_rows_min"] == 1
    assert values["class_alone_share"] == pytest.approx(1 / 3)


def test_regression_has_no_classes() -> None:
    described = extract_metafeatures(np.eye(12), np.linspace(0.5, 3, 12), groups=["simple"])
    assert not [name for name in described.values if "class" in name]
