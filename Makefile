# What CI runs, in the environment that is active: see CONTRIBUTING.md.
PYTHON ?= python

.PHONY: check test bench docs

check:  ## style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

test:  ## the fast tests
	$(PYTHON) -m pytest -n auto

bench:  ## the benchmarks that need no data; benchmarks/README.md has all of them
	$(PYTHON) benchmarks/reading.py
	$(PYTHON) benchmarks/recommend_speed.py --rounds 3
	$(PYTHON) benchmarks/sampler_speed.py --trials 20

docs:  ## examples in docstrings run, and docstrings of the public API are valid
	$(PYTHON) -m pytest -n auto automl_meta tests/test_docstrings.py tests/test_readme.py
