"""Start a worker: a program of its own, so that the path is right before anything else is imported.

Called with the folders of the parent's path. Those that are not on the path come last: modules of
the user are found there, and none of them stands for one of the standard library or of a package.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def _import_package() -> None:
    """Import the very package that the parent has imported, wherever another may be installed."""
    spec = spec_from_file_location("automl_meta", Path(__file__).parents[1] / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"There is no automl_meta around {__file__}.")
    module = module_from_spec(spec)
    sys.modules["automl_meta"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    sys.path += [folder for folder in sys.argv[1:] if folder not in sys.path]
    del sys.argv[1:]
    _import_package()
    from automl_meta.experiments.worker import main

    main()
