"""Where records come from: their source and their environment."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from automl_meta.records.identity import check_lengths, digest_of

__all__ = ["LOCAL", "Environment", "Source"]


@dataclass(frozen=True)
class Source:
    """Origin of records.

    Parameters
    ----------
    name : str
        Key in the store, such as ``"local"`` or ``"seed"``.
    description, url, licence, citation : str
        Free text; empty if unknown.
    """

    name: str
    description: str = ""
    url: str = ""
    licence: str = ""
    citation: str = ""

    def __post_init__(self) -> None:
        check_lengths(self.name)


LOCAL = Source("local", "runs made on this machine")


@dataclass(frozen=True)
class Environment:
    """Software versions and platform of a run, which affect its scores and durations.

    Parameters
    ----------
    python : str
        Version of Python.
    platform : str
        Operating system and machine type.
    versions : mapping of str to str
        Package name to version.
    """

    python: str
    platform: str
    versions: Mapping[str, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", dict(self.versions))

    @classmethod
    @cache  # called for every run, and looking up versions reads files
    def current(cls) -> Environment:
        """The environment of this process."""
        from importlib.metadata import version

        packages = ("automl_meta", "numpy", "scikit-learn", "lightgbm")
        return cls(
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.machine()}",
            versions={package: version(package) for package in packages},
        )

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that identify the environment."""
        return digest_of([self.python, self.platform, dict(sorted(self.versions.items()))], 16)
