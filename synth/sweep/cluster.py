"""The workers of a sweep: Dask's, on this machine's cores or wherever a scheduler has them."""

import itertools
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import dask.config
from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster, as_completed

from golden.base.errors import InputError, ToolError
from synth.area.measure import cores

T = TypeVar("T")

REACH_SECONDS = 5
SILENT = logging.CRITICAL + 1
# A point whose worker dies is tried once more; a cluster of the user's has its own number.
RETRIES = 1
LOST = "the Dask scheduler went away: start it and this command again"


@contextmanager
def workers(scheduler: str | None, jobs: int | None, *, processes: bool = True) -> Iterator[Client]:
    """Connect to a scheduler, or start processes here that end with the context.

    Parameters
    ----------
    scheduler : str or None
        Such as ``tcp://host:8786``.
    jobs : int or None
        How many workers; by default one for each core. Of no use with a scheduler.
    processes : bool
        Whether workers here are processes or threads.

    Raises
    ------
    ToolError
        When the scheduler does not answer, or no process can be started.
    """
    # What goes wrong is said in one sentence; Dask's own threads would say more, also afterwards.
    logging.getLogger("distributed").setLevel(SILENT)
    settings = {
        "distributed.scheduler.allowed-failures": RETRIES,
        "distributed.comm.timeouts.connect": REACH_SECONDS,
        "distributed.deploy.lost-worker-timeout": REACH_SECONDS,
    }
    with dask.config.set(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if scheduler is None:
            with _local(jobs or cores(), processes) as cluster, Client(cluster) as client:
                yield client
        else:
            with _remote(scheduler) as client:
                yield client


def _local(count: int, processes: bool) -> LocalCluster:
    try:
        return LocalCluster(
            host="127.0.0.1" if processes else None,  # who reaches a scheduler may run anything
            n_workers=count,
            threads_per_worker=1,
            processes=processes,
            dashboard_address=None,  # pyright: ignore[reportArgumentType]
            silence_logs=SILENT,
            memory_limit=0,
        )
    except (OSError, RuntimeError) as error:
        raise ToolError(f"no Dask workers could be started here: {error}") from error


def _remote(scheduler: str) -> Client:
    try:
        client = Client(scheduler, timeout=REACH_SECONDS)
    except (OSError, ValueError) as error:
        raise ToolError(
            f"no Dask scheduler answers at {scheduler}: start one with `dask scheduler` and"
            " workers with `dask worker`, or leave --scheduler out"
        ) from error
    if not client.scheduler_info()["workers"]:
        client.close()
        raise ToolError(f"the Dask scheduler at {scheduler} has no workers: start `dask worker`")
    return client


def run_all(
    client: Client,
    tasks: Mapping[str, T],
    work: Callable[[T], object],
    done: Callable[[str, object | None, str], None],
) -> None:
    """Run tasks on workers, and say of each what came of it as soon as that is known.

    Parameters
    ----------
    client : Client
        From :func:`workers`.
    tasks : mapping
        By keys that no other work has.
    work : callable
        What to do with each.
    done : callable
        Told the key, the result or None, and if that is None, why: a sentence.

    Raises
    ------
    ToolError
        When the scheduler goes away.
    """
    # No more at a time than there are workers: what waits in a worker that is killed is blamed too.
    waiting = iter(tasks.items())
    started = as_completed()
    names: dict[Future, str] = {}

    def start(count: int) -> None:
        for key, task in itertools.islice(waiting, count):
            future = client.submit(work, task, key=key)
            names[future] = key
            started.add(future)

    start(_threads(client))
    for future in started:
        result, problem = _outcome(future)
        done(names.pop(future), result, problem)
        start(max(1, _threads(client) - len(names)))


def _threads(client: Client) -> int:
    try:
        threads: dict[str, int] = client.ncores()  # pyright: ignore[reportAssignmentType]
        return max(1, sum(threads.values()))
    except (OSError, CancelledError) as error:
        raise ToolError(f"{LOST}: {error}") from error


def _outcome(future: Future) -> tuple[object | None, str]:
    """Return a result, or None and why there is none."""
    try:
        return future.result(), ""
    except (InputError, ToolError) as error:
        return None, str(error)
    except KilledWorker:
        return None, "its worker was killed each time: for want of memory, perhaps; use fewer jobs"
    except CancelledError:
        raise ToolError(LOST) from None
    except ImportError as error:
        return None, f"the worker lacks kllm or what it needs: {error}"
    except OSError as error:
        return None, f"the worker could not read or write: {error}"
