"""Mutation testing: the share of a random sample of mutants that the tests kill.

    pip install -e ".[test,mutation]"
    python benchmarks/mutation.py --work DIR [--mutants 300] [--seed 0] [--jobs 2] [--only automl_meta/task]

cosmic-ray's operators make the mutants. Lines are drawn without replacement from all lines of the tested files that
have a mutant, then one mutant of each line. Left out are mutants that cannot change behaviour: those of annotations,
of what is under `TYPE_CHECKING` and of a signature's bare `*` or `/`; and those that do not compile, or with a
warning only (`x is 'text'`).

The tests of the same rooms run once with coverage, which is kept in DIR until the code or the tests change. Then each
mutant meets those that execute its line (for a line that runs on import, those that execute its file or else
its folder), the most promising first, until one fails or the time limit is reached: in copies of the checkout, and in processes that have
not imported the package before. Results are appended to DIR/results-SEED.jsonl; an interrupted run goes on from there.
"""

import argparse
import ast
import contextlib
import difflib
import functools
import hashlib
import importlib.util
import itertools
import json
import multiprocessing
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTED = (
    "automl_meta/transfer",
    "automl_meta/store",
    "automl_meta/task",
    "automl_meta/fewshot/maml.py",
    "automl_meta/metrics.py",
)
TESTS = (
    "tests/transfer",
    "tests/store",
    "tests/task",
    "tests/fewshot/test_maml.py",
    "tests/fewshot/test_methods.py",
    "tests/fewshot/test_contract.py",
    "tests/test_metrics.py",
    "tests/test_records.py",
    *TESTED,  # their examples
)
PROCESSES = multiprocessing.get_context("forkserver")  # its server has imported all but this library
PRELOADED = ("pandas", "scipy.stats", "sklearn.pipeline", "sqlalchemy", "alembic", "pyarrow.csv", "optuna", "hypothesis",
             "lightgbm", "torch", "pytest", "rich", "typer")  # fmt: skip
SECONDS_OF_TESTS = 240  # at most for one mutant, by the times of the run with coverage
FIRST_FILES = 2  # the most promising files of tests, which run before others are even imported


class Observer:
    """A plug-in of pytest: chooses and orders the tests, and notes what each took and how it ended."""

    def __init__(self, reports: Path, chosen: list[str] | None) -> None:
        self.reports = reports
        self.places = None if chosen is None else {name: place for place, name in enumerate(chosen)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:  # noqa: D102
        if (places := self.places) is not None:
            items[:] = sorted(
                (item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid]
            )

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: D102
        with self.reports.open("a") as stream:
            stream.write(json.dumps([report.nodeid, report.duration, report.outcome]) + "\n")


def checkout_files(*folders: str) -> list[str]:
    command = ["git", "ls-files", "-coz", "--exclude-standard", *folders]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    return sorted(name for name in names if (ROOT / name).is_file())


def copy_checkout(target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    for name in checkout_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)
    return target


def call_pytest(tree: Path, options: list[str], observer: Observer) -> None:
    """Run tests in this process, which is a new one."""
    os.setsid()
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    sys.path.insert(0, str(tree))
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # modules that are not mutated, and tests, are compiled once
    sys.dont_write_bytecode = False
    log = os.open(observer.reports.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    import pytest

    sys.exit(
        int(pytest.main(["-p", "no:cacheprovider", "--hypothesis-seed=0", *options], plugins=[observer]))
    )


def run_pytest(tree: Path, options: list[str], observer: Observer, limit: float | None = None) -> bool | None:
    """Whether pytest passed; None at the time limit."""
    observer.reports.unlink(missing_ok=True)
    process = PROCESSES.Process(target=call_pytest, args=(tree, options, observer))
    process.start()
    process.join(limit)
    if process.exitcode is None:
        for number in (signal.SIGINT, signal.SIGKILL):  # fixtures may stop their servers first
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid or 0, number)
            process.join(10)
        return None
    return process.exitcode in (0, 5)  # 5: a mutant may leave no test to run


def read_reports(path: Path) -> list[list[Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def collect_coverage(
    work: Path, tests: list[str], jobs: int
) -> tuple[dict[str, float], dict[str, dict[int, set[str]]]]:
    """Seconds of each passing test, and for each file and line the tests that execute it ("" is an import)."""
    from coverage import CoverageData

    files = checkout_files("automl_meta", "tests", "conftest.py", "pyproject.toml")
    digest = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in files) + " ".join(tests).encode())
    folder, tree = work / digest.hexdigest()[:12], work / "tree"
    reports = folder / "reports.jsonl"
    if not (folder / "coverage").exists():
        folder.mkdir(parents=True, exist_ok=True)
        copy_checkout(tree)
        include = "".join(f"\n    {name}{'' if name.endswith('.py') else '/*'}" for name in TESTED)
        (folder / "coverage.ini").write_text(
            f"[run]\ninclude ={include}\nrelative_files = true\ndata_file = {folder / 'partial'}\n"
        )
        options = [
            "--cov",
            f"--cov-config={folder / 'coverage.ini'}",
            "--cov-context=test",
            "--cov-report=",
            f"-n{jobs}",
            *tests,
        ]
        run_pytest(tree, options, Observer(reports, None))
        (folder / "partial").rename(folder / "coverage")
    seconds: dict[str, float] = defaultdict(float)
    failed = set()
    for name, duration, outcome in read_reports(reports):
        seconds[name] += duration
        failed |= {name} if outcome == "failed" else set()
    data = CoverageData(str(folder / "coverage"))
    data.read()
    lines = {
        path: {
            line: {context.rpartition("|")[0] for context in contexts} - failed
            for line, contexts in data.contexts_by_lineno(path).items()
        }
        for path in data.measured_files()
    }
    return seconds, lines


@functools.lru_cache
def behaviour(source: str) -> str | None:
    """What decides how the code behaves; None for code that does not compile without a warning."""
    try:
        with warnings.catch_warnings(action="error", category=SyntaxWarning):
            tree = compile(source, "", "exec", ast.PyCF_ONLY_AST)
            compile(source, "", "exec")
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None:
                setattr(node, field, ast.Constant(0))
        if isinstance(node, ast.arguments):
            node.args, node.posonlyargs, node.kwonlyargs = (
                node.posonlyargs + node.args + node.kwonlyargs,
                [],
                [],
            )
            node.defaults, node.kw_defaults = (
                node.defaults + [value for value in node.kw_defaults if value],
                [],
            )
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.test, node.body = ast.Constant(0), []
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = [part for part in node.decorator_list if ast.unparse(part) != "override"]
    return ast.dump(tree)


def statement_lines(source: str, line: int) -> range:
    """The lines of the innermost statement, without its body: coverage does not see each of them."""
    statements = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt))
    around = [node for node in statements if node.lineno <= line <= (node.end_lineno or 0)]
    if not around:  # a decorator
        return range(line, line + 1)
    inner = max(around, key=lambda node: node.lineno)
    body = getattr(inner, "body", None)
    end = body[0].lineno - 1 if body and line < body[0].lineno else inner.end_lineno or line
    return range(inner.lineno, max(end, inner.lineno) + 1)


def places_of(path: Path) -> dict[int, list[tuple[str, int]]]:
    """For each line of a file the operators that change it, and which of their changes it is."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    nodes = list(ast_nodes(get_ast(path.read_text())))
    for name in sorted(operator_names()):
        if "Variable" not in name:  # these need to be told which variable
            operator = get_operator(name)()
            places = (place for node in nodes for place in operator.mutation_positions(node))
            for occurrence, ((line, _), _) in enumerate(places):
                found[line].append((name, occurrence))
    return found


def mutant_of(where: tuple[Path, int, list[tuple[str, int]]]) -> dict[str, Any] | None:
    """Make the first change of a line that can change behaviour."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    path, line, places = where
    source = path.read_text()
    for name, occurrence in places:
        mutated = mutate_code(source, get_operator(name)(), occurrence)
        if behaviour(mutated) not in (None, behaviour(source)):
            changed = difflib.unified_diff(source.split("\n"), mutated.split("\n"), n=0, lineterm="")
            return {
                "file": path.relative_to(ROOT).as_posix(),
                "line": line,
                "operator": name.rpartition("/")[2],
                "change": "\n".join(row for row in [*changed][2:] if row[0] in "+-"),
                "lines": statement_lines(source, line),
                "code": mutated,
            }
    return None


def sample_mutants(seed: int, n_mutants: int, only: Sequence[str], jobs: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    files = [
        path
        for name in only
        for path in sorted((ROOT / name).rglob("*.py")) or [ROOT / name]
        if path.exists()
    ]
    with PROCESSES.Pool(jobs) as pool:
        lines = [
            (path, line, rng.sample(places, len(places)))
            for path, found in zip(files, pool.map(places_of, files, 1), strict=True)
            for line, places in sorted(found.items())
        ]
        rng.shuffle(lines)
        return list(itertools.islice(filter(None, pool.imap(mutant_of, lines)), n_mutants))


def choose_tests(
    mutant: dict[str, Any], seconds: dict[str, float], lines: dict[str, dict[int, set[str]]]
) -> list[str]:
    """The tests of the mutant's line, those of its own room first, the quick ones before the slow ones."""
    path = Path(mutant["file"])
    tests: set[str] = set().union(*(lines.get(mutant["file"], {}).get(line, ()) for line in mutant["lines"]))
    for files in ([mutant["file"]], [name for name in lines if Path(name).parent == path.parent]):
        if tests == {""}:
            tests = set().union(*(found for name in files for found in lines[name].values()))
    tests -= {""}
    rooms = (f"tests/{'/'.join(path.parts[1:-1])}/test_{path.stem}.py".replace("//", "/"), mutant["file"])

    def cost(name: str) -> float:
        file = name.partition("::")[0]
        distance = 1 if file in rooms else 3 if Path(file).parent.name == path.parent.name else 10
        return (seconds[name] + 0.01) * distance

    chosen, total = [], 0.0
    for name in sorted(tests, key=lambda name: (cost(name), name)):
        total += seconds[name]
        if chosen and total > SECONDS_OF_TESTS:
            break
        chosen.append(name)
    return chosen


def test_mutant(
    tree: Path, mutant: dict[str, Any], tests: list[str], seconds: dict[str, float]
) -> dict[str, Any]:
    start, outcome, killer = time.monotonic(), "survived" if tests else "not covered", None
    target, reports = tree / mutant["file"], tree.with_suffix(".jsonl")
    source, compiled = target.read_text(), Path(importlib.util.cache_from_source(str(target)))
    files = list(dict.fromkeys(name.partition("::")[0] for name in tests))[:FIRST_FILES]
    first = [name for name in tests if name.partition("::")[0] in files]
    try:
        target.write_text(mutant["code"])
        for batch in filter(None, (first, [name for name in tests if name not in first])):
            compiled.unlink(missing_ok=True)
            limit = 60 + 10 * sum(seconds[name] for name in batch)
            options = ["-x", *sorted({name.partition("::")[0] for name in batch})]
            passed = run_pytest(tree, options, Observer(reports, batch), limit)
            if not passed:
                outcome = "timeout" if passed is None else "killed"
                killer = next((name for name, _, end in read_reports(reports) if end == "failed"), "import")
                break
    finally:
        target.write_text(source)
        compiled.unlink(missing_ok=True)
    kept = {name: value for name, value in mutant.items() if name not in ("code", "lines")}
    return {
        **kept,
        "outcome": outcome,
        "test": killer,
        "n_tests": len(tests),
        "seconds": round(time.monotonic() - start, 1),
    }


def summary(results: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    from scipy.stats import binomtest

    rooms: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        room = next(name for name in TESTED if result["file"].startswith(name))
        rooms[room].append(result["outcome"] in ("killed", "timeout"))
    killed = sum(map(sum, rooms.values()))
    interval = binomtest(killed, len(results)).proportion_ci(method="wilson")
    return {
        "benchmark": "mutation",
        "seed": seed,
        "mutants": len(results),
        "killed": killed,
        "share": round(killed / len(results), 3),
        "interval": [round(interval.low, 3), round(interval.high, 3)],
        "rooms": {room: f"{sum(found)}/{len(found)}" for room, found in rooms.items()},
        "seconds": round(sum(result["seconds"] for result in results)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation testing on a random sample of mutants.")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder outside of the checkout for all that is kept"
    )
    parser.add_argument("--mutants", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=TESTED, help="files and folders to mutate")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="tests that may kill")
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    PROCESSES.set_forkserver_preload(list(PRELOADED))
    work = arguments.work.resolve()
    seconds, lines = collect_coverage(work, arguments.tests, arguments.jobs)
    mutants = sample_mutants(arguments.seed, arguments.mutants, arguments.only, arguments.jobs)
    path = work / f"results-{arguments.seed}.jsonl"
    known = (
        {
            (result["file"], result["line"], result["change"]): result
            for result in map(json.loads, path.open())
        }
        if path.exists()
        else {}
    )
    trees: queue.Queue[Path] = queue.Queue()
    for number in range(arguments.jobs):
        trees.put(copy_checkout(work / f"tree{number}"))

    def judge(mutant: dict[str, Any]) -> dict[str, Any]:
        if (found := known.get((mutant["file"], mutant["line"], mutant["change"]))) is not None:
            return found
        tree = trees.get()
        try:
            result = test_mutant(tree, mutant, choose_tests(mutant, seconds, lines), seconds)
        finally:
            trees.put(tree)
        with path.open("a") as stream:
            stream.write(json.dumps(result) + "\n")
        if result["outcome"] in ("survived", "not covered"):
            print(
                f"{result['file']}:{result['line']} {result['operator']} {result['outcome']}\n{result['change']}",
                flush=True,
            )
        return result

    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(judge, mutants))
    print(json.dumps(summary(results, arguments.seed)))


if __name__ == "__main__":
    main()
