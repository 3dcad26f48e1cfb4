"""``python -m automl_meta``: the same as ``automl-meta``."""

from automl_meta.cli import main

if __name__ == "__main__":
    main()
