"""MetadataStore: what was tried, on what, and with what result."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pandas as pd
from sqlalchemy import URL, Connection, Engine, select

from automl_meta._utils.databases import shown_url
from automl_meta.exceptions import StoreError, UsageError
from automl_meta.metrics import Metric, TaskType, get_metric
from automl_meta.records import DatasetRecord, Environment, MetaDataset, Run, RunStatus, Source
from automl_meta.store import models
from automl_meta.store.checks import described, problems
from automl_meta.store.engine import is_memory, is_read_only, make_engine, patiently, resolve_url, writing
from automl_meta.store.export import export_experience
from automl_meta.store.inserts import (
    begin_write,
    insert_runs,
    put_dataset,
    put_environment,
    put_source,
    rows_of,
)
from automl_meta.store.queries import count_runs, dataset_frame, iterate_runs, read_dataset
from automl_meta.store.seed import import_experience, plant, unplanted_seed
from automl_meta.store.spool import import_spooled
from automl_meta.store.stored_experience import ExperienceMemo, nothing_left

__all__ = ["MetadataStore"]

T = TypeVar("T")


class MetadataStore:
    """What was tried, on what, and with what result, in a database.

    Runs are only ever added. Many processes and threads may use one store at the same time; each
    call is one short transaction.

    Parameters
    ----------
    url : str, Path or None
        A file (SQLite), or any SQLAlchemy URL such as ``"postgresql+psycopg://host/database"``;
        ``"sqlite://"`` lives in memory. None is the file named by the environment variable
        ``AUTOML_META_STORE``, or else `default_store_path`.
    seed : bool
        Whether the experience that is shipped with the package is added, when the store is empty
        or has it from an older package.
    create : bool
        Whether a store that is not there is made. The one that None stands for always is.

    Attributes
    ----------
    url : str
        Where it is, without a password.
    path : Path or None
        The file, if it is one.

    Raises
    ------
    StoreError
        If it cannot be opened or is no store; if it is not there and is not to be made.
    StoreVersionError
        If a newer version of automl_meta made it.
    UsageError
        If `url` looks like a URL and is none.

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
        self._url = resolve_url(url)
        self._engine = make_engine(self._url, create=create or url is None)
        self._is_closed = False
        # One connection is all there is to a store in memory, so threads take turns.
        self._turn = threading.RLock() if is_memory(self._url) else contextlib.nullcontext()
        self._memo = ExperienceMemo()
        if seed and not is_read_only(self._url):
            self._plant()

    @property
    def url(self) -> str:
        """Where the store is, without a password."""
        return shown_url(self._url)

    @property
    def path(self) -> Path | None:
        """The file of the store; None if it is in memory or on a server."""
        is_file = self._url.get_backend_name() == "sqlite" and not is_memory(self._url)
        return Path(str(self._url.database)) if is_file else None

    def close(self) -> None:
        """Let go of the database; a second time does nothing."""
        self._is_closed = True
        self._memo = ExperienceMemo()
        self._engine.dispose()

    def __enter__(self) -> MetadataStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"MetadataStore({self.url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        if is_memory(self._url):
            raise StoreError(
                "A store in memory cannot go to another process. Use a file: MetadataStore('store.db')."
            )
        # As a path, what it is called needs no escapes.
        return _reopened, (self.path or self._url.render_as_string(hide_password=False),)

    # Writing

    def add_source(self, source: Source) -> None:
        """Add where records come from; one that is known is described anew."""
        self._write(lambda connection: put_source(connection, source))

    def add_environment(self, environment: Environment) -> None:
        """Add what runs were made with; they refer to it by its digest."""
        self._write(lambda connection: put_environment(connection, environment))

    def add_dataset(
        self,
        record: DatasetRecord,
        *,
        versions: Mapping[str, int] | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        """Add a data set, or what is new about one: meta-features, its family.

        Parameters
        ----------
        record : DatasetRecord
            A meta-feature replaces the stored one only if its version is higher.
        versions : mapping of str to int, optional
            Versions of the meta-features by name. One that is not named has the highest of all,
            and 1 if there is none: so versions by extractor do too, if less exactly.
        seconds : mapping of str to float, optional
            What each extractor took.
        """
        self._write(lambda connection: put_dataset(connection, record, versions or {}, seconds or {}))

    def add_runs(self, runs: Iterable[Run]) -> int:
        """Add runs, all of them or none; those that are stored already are left as they are.

        Parameters
        ----------
        runs : iterable of Run
            Their configurations, and the names of their sources and environments, are added too.
            A score that is NaN is not stored.

        Returns
        -------
        int
            How many were new.

        Raises
        ------
        UsageError
            If one is of a data set that the store does not know.
        """
        rows = rows_of(runs)  # before the transaction, since making the runs may take long
        if not rows.runs:
            return 0
        return self._write(lambda connection: insert_runs(connection, rows))

    # Reading

    def run_ids(self, dataset_id: str | None = None, protocol: str | None = None) -> set[str]:
        """List the ids of the runs there are, of one data set or protocol if given."""
        query = select(models.runs.c.run_id)
        if dataset_id is not None:
            query = query.where(models.runs.c.dataset_id == dataset_id)
        if protocol is not None:
            query = query.where(models.runs.c.protocol == protocol)
        return self._read(lambda connection: set(connection.execute(query).scalars()))

    def runs(
        self,
        dataset_id: str | None = None,
        *,
        configuration_id: str | None = None,
        algorithm: str | None = None,
        protocol: str | None = None,
        source: str | None = None,
        status: RunStatus | None = None,
    ) -> Iterator[Run]:
        """Read the runs there are, in the order in which they came, of some kind only if said.

        Read in pieces: those that are added meanwhile come too.
        """
        conditions = {
            "dataset_id": dataset_id,
            "configuration_id": configuration_id,
            "algorithm": algorithm,
            "protocol": protocol,
            "source": source,
            "status": status,
        }
        last = 0
        while True:
            numbered = self._read(functools.partial(iterate_runs, conditions=conditions, after=last))
            if not numbered:
                return
            yield from (run for _, run in numbered)
            last = numbered[-1][0]

    def dataset(self, dataset_id: str) -> DatasetRecord:
        """Read one data set with its meta-features.

        Raises
        ------
        UsageError
            If there is none of that id.
        """
        record = self._read(lambda connection: read_dataset(connection, dataset_id))
        if record is None:
            raise UsageError(f"The store {self.url} knows no data set {dataset_id!r}.")
        return record

    def datasets(self, task_type: TaskType | None = None) -> pd.DataFrame:
        """List the data sets there are.

        Returns
        -------
        DataFrame
            Index ``dataset_id``, sorted; columns ``name``, ``task_type``, ``family`` (str),
            ``n_rows``, ``n_features``, ``n_classes`` (int64), ``target_scale`` (float64),
            ``source`` (str) and ``n_runs`` (int64).
        """
        frame, counts = self._read(
            lambda connection: (dataset_frame(connection, task_type), count_runs(connection))
        )
        return frame.assign(n_runs=[counts.get(dataset_id, 0) for dataset_id in frame.index])

    def meta_dataset(
        self,
        metric: str | Metric,
        task_type: TaskType,
        *,
        exclude: Collection[str] = (),
        protocol: str | None = None,
        algorithms: Collection[str] | None = None,
    ) -> MetaDataset:
        """Read the experience for one metric, as recommenders see it.

        Of several runs of one configuration on one data set, one speaks for the pair: a good one
        before a failed one, then one of the protocol that most runs on this data set have, so
        that they can be compared, then the latest. Left out are good runs without this score,
        data sets without runs, and, for a metric in the unit of the target, data sets whose
        ``target_scale`` is not known. All is sorted by id.

        A second call for the same metric costs next to nothing until the store is written to.

        Parameters
        ----------
        metric : str or Metric
            By its name or an alias.
        task_type : {"classification", "regression"}
            Of the data sets.
        exclude : collection of str
            Ids of data sets that must not advise, such as the fingerprint of the task at hand.
        protocol : str, optional
            Only runs of this one.
        algorithms : collection of str, optional
            Only these; None is all.

        Raises
        ------
        NoExperienceError
            If nothing is left.
        UsageError
            If there is no such metric for this type of task.
        """
        metric = get_metric(metric, task_type)
        if isinstance(exclude, str):
            exclude = (exclude,)
        if isinstance(algorithms, str):
            algorithms = (algorithms,)
        experience = self._read(lambda connection: self._memo.get(connection, metric, task_type, protocol))
        chosen = experience.without(exclude, algorithms)
        if not len(chosen):
            raise nothing_left(self.url, metric, task_type, protocol, exclude, algorithms)
        return chosen

    # The whole

    def info(self) -> dict[str, Any]:
        """Count what there is.

        Returns
        -------
        dict
            ``url``, ``path``, ``bytes`` (int or None), ``schema``, ``seed`` (checksum of the shipped
            experience it holds, or None), ``datasets`` and ``runs`` (int), and dicts of counts
            ``datasets_by_task_type``, ``configurations_by_algorithm``, ``runs_by_task_type``,
            ``runs_by_algorithm``, ``runs_by_status``, ``runs_by_source``, ``runs_by_protocol``.
        """
        path = self.path
        counts = self._read(described)
        return {
            "url": self.url,
            "path": None if path is None else str(path),
            "bytes": None if path is None else path.stat().st_size,
            **counts,
        }

    def check(self) -> list[str]:
        """Look for what should not be.

        That is: a damaged file, references to nothing, sizes, scores or costs out of their range,
        runs without the scores that their status promises, ids that are not the digest of their
        content (and so duplicates), and missing runs of the shipped experience.

        Returns
        -------
        list of str
            One sentence for each problem; empty if there is none.
        """
        return self._read(problems)

    def export(
        self, folder: str | Path, *, source: str | None = None, skip_damaged: bool = False
    ) -> list[str]:
        """Write the experience into a folder of CSV files (see `automl_meta.store.seed`).

        Scores are rounded to 6 significant digits, those of folds and all durations to 4. The same
        experience gives the same bytes.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there; what an earlier export left in it is replaced.
        source : str, optional
            Only runs and data sets of this one, and what they refer to.
        skip_damaged : bool
            Whether data sets that are not as they were written are left out, and are no error.

        Returns
        -------
        list of str
            Ids of the data sets that were left out.

        Raises
        ------
        StoreError
            If the folder cannot be written, or the store is damaged.
        UsageError
            If there is no such source.
        """
        return self._read(
            lambda connection: export_experience(connection, Path(folder), source, skip_damaged)
        )

    def import_folder(self, folder: str | Path) -> int:
        """Add what an exported folder holds, all of it or nothing.

        Returns
        -------
        int
            How many runs were new.

        Raises
        ------
        StoreError
            If a file is missing or damaged; the message names it.
        """
        return self._write(lambda connection: import_experience(connection, Path(folder)))

    def import_spooled(self, path: str | Path) -> int:
        """Add what `automl_meta.store.spool` kept in a file, all of it or nothing.

        Returns
        -------
        int
            How many runs were new.

        Raises
        ------
        StoreError
            If the file is damaged; the message says in which line.
        """
        return self._write(lambda connection: import_spooled(connection, Path(path)))

    def _plant(self) -> None:
        """Add the shipped experience to a store that is empty, or that has an older one of it.

        One that somebody filled without it stays without it.
        """
        folder = self._read(unplanted_seed)
        if folder is not None:
            self._write(lambda connection: plant(connection, folder))

    def _read(self, work: Callable[[Connection], T]) -> T:
        """Call a function within a transaction that only reads."""
        return self._transact(self._engine, work)

    def _write(self, work: Callable[[Connection], T]) -> T:
        """Call a function within a transaction that no other writer shares.

        It may be called again if the store does not answer, and adds what is not there yet.
        """

        def locked(connection: Connection) -> T:
            begin_write(connection)
            return work(connection)

        return self._transact(writing(self._engine), locked)

    def _transact(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with engine.begin() as connection:
                return work(connection)

        self._check_open()
        with self._turn:
            return patiently(self._url, transaction)

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError(f"The store {self.url} is closed. Open it again: MetadataStore(...).")


def _reopened(url: str | Path) -> MetadataStore:
    return MetadataStore(url, seed=False)
