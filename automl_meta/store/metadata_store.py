"""MetadataStore: experiment results in a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL

from automl_meta.exceptions import StoreError
from automl_meta.records import DatasetRecord, Environment, Run, Source
from automl_meta.store.database import Database
from automl_meta.store.inserts import insert_runs, put_dataset, put_environment, put_source, rows_of
from automl_meta.store.location import is_memory, is_read_only, resolve_url
from automl_meta.store.seed import import_experience, plant, unplanted_seed
from automl_meta.store.spool import import_spooled
from automl_meta.store.store_reader import StoreReader
from automl_meta.store.stored_experience import ExperienceMemo

__all__ = ["MetadataStore"]


class MetadataStore(StoreReader):
    """Data sets, configurations and the results of their evaluation, in a database.

    Runs are only ever added. Many processes and threads may use one store at the same time; each
    call is one short transaction.

    Parameters
    ----------
    url : str, Path, URL or None
        File (SQLite), or SQLAlchemy URL such as ``"postgresql+psycopg://host/database"``;
        ``"sqlite://"`` is a store in memory. None is the store that the environment variable
        ``AUTOML_META_STORE`` names, or else `default_store_path`.
    seed : bool
        Whether to add the shipped experience to a store that is empty or that contains an older
        version of it.
    create : bool
        Whether to create a store that does not exist. The store that None stands for is always
        created.

    Attributes
    ----------
    url : str
        Location without the password.
    path : Path or None
        SQLite file, if any.

    Raises
    ------
    StoreError
        If the store cannot be opened, is a database of another program, or does not exist and
        `create` is false.
    StoreVersionError
        If it was created by a newer version of automl_meta.
    UsageError
        If `url` contains ``://`` and is not a valid URL.

    Examples
    --------
    >>> from automl_meta.records import Configuration, DatasetRecord, Run
    >>> with MetadataStore("sqlite://", seed=False) as store:
    ...     store.add_dataset(DatasetRecord("mine", "My data", "regression", 100, 5))
    ...     store.add_runs([Run("mine", Configuration("ridge"), "ok", {"r2": 0.5}, seconds=0.1)])
    ...     store.meta_dataset("r2", "regression")
    1
    MetaDataset(regression, r2: 1 datasets x 1 configurations, 1 runs)
    """

    def __init__(
        self, url: str | Path | URL | None = None, *, seed: bool = True, create: bool = True
    ) -> None:
        location = resolve_url(url)
        super().__init__(Database(location, create=create or url is None))
        if seed and not is_read_only(location):
            # A store that was filled without the shipped experience stays without it.
            folder = self._database.read(unplanted_seed)
            if folder is not None:
                self._database.write(lambda connection: plant(connection, folder))

    def close(self) -> None:
        """Close the database; closing twice is allowed."""
        self._memo = ExperienceMemo()
        self._database.close()

    def __enter__(self) -> MetadataStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"MetadataStore({self.url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        location = self._database.url
        if is_memory(location):
            raise StoreError(
                "A store in memory cannot be sent to another process. Use a file: MetadataStore('store.db')."
            )
        # A path needs no escapes.
        return _reopened, (self.path or location.render_as_string(hide_password=False),)

    def add_source(self, source: Source) -> None:
        """Add a source of records, or update its description.

        Parameters
        ----------
        source : Source
            Source, identified by its name.
        """
        self._database.write(lambda connection: put_source(connection, source))

    def add_environment(self, environment: Environment) -> None:
        """Add the software environment of runs, which refer to it by its digest.

        Parameters
        ----------
        environment : Environment
            Versions of Python and packages.
        """
        self._database.write(lambda connection: put_environment(connection, environment))

    def add_dataset(
        self,
        record: DatasetRecord,
        *,
        versions: Mapping[str, int] | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        """Add a data set, or update the meta-features and the family of a known one.

        Parameters
        ----------
        record : DatasetRecord
            A meta-feature replaces the stored one only if its version is higher.
        versions : mapping of str to int, optional
            Version of each meta-feature by name. The default for a missing name is the highest
            version given, or 1; so a mapping by extractor is accepted too, if less exact.
        seconds : mapping of str to float, optional
            CPU seconds of each extractor.
        """
        self._database.write(
            lambda connection: put_dataset(connection, record, versions or {}, seconds or {})
        )

    def add_runs(self, runs: Iterable[Run]) -> int:
        """Add runs, all or none; runs that are already stored are left unchanged.

        Parameters
        ----------
        runs : iterable of Run
            Their configurations, and the names of their sources and environments, are added too.
            A score that is not finite is not stored.

        Returns
        -------
        int
            Number of new runs.

        Raises
        ------
        UsageError
            If a run belongs to a data set that is not in the store.
        """
        rows = rows_of(runs)  # before the transaction, since an iterator may take long
        if not rows.runs:
            return 0
        return self._database.write(lambda connection: insert_runs(connection, rows))

    def import_folder(self, folder: str | Path) -> int:
        """Add the contents of an exported folder, all or nothing.

        Parameters
        ----------
        folder : str or Path
            Folder that `export` has written.

        Returns
        -------
        int
            Number of new runs.

        Raises
        ------
        StoreError
            If a file is missing or damaged; the message names it.
        """
        return self._database.write(lambda connection: import_experience(connection, Path(folder)))

    def import_spooled(self, path: str | Path) -> int:
        """Add the results that `automl_meta.store.spool` has written to a file, all or nothing.

        Parameters
        ----------
        path : str or Path
            JSON lines.

        Returns
        -------
        int
            How many of the runs were new.

        Raises
        ------
        StoreError
            If the file is empty or damaged; the message gives the line.
        """
        return self._database.write(lambda connection: import_spooled(connection, Path(path)))


def _reopened(url: str | Path) -> MetadataStore:
    return MetadataStore(url, seed=False)
