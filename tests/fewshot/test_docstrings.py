import pytest

from automl_meta.fewshot import ANIL, FOMAML, MAML, MetaSGD, Reptile
from automl_meta.fewshot.docstrings import with_parameters_of


@pytest.mark.parametrize("kind", [ANIL, FOMAML, MetaSGD, Reptile])
def test_a_variant_of_maml_documents_the_parameters_of_maml(kind: type) -> None:
    assert "n_test_steps : int, optional" in (kind.__doc__ or "")
    assert "{parameters}" not in (kind.__doc__ or "")
    assert (kind.__doc__ or "").count("Raises\n") == (kind is MetaSGD)
    assert "Model-agnostic" in (MAML.__doc__ or "")


def test_without_docstrings_nothing_is_replaced() -> None:
    class Child:
        pass

    assert with_parameters_of(MAML)(Child).__doc__ is None
