"""The command line from a checkout: ``python cli.py …``."""

from automl_meta.cli import main

if __name__ == "__main__":
    main()
