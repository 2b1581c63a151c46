"""A cluster of two worker processes on this machine."""

import warnings
from contextlib import contextmanager

import dask
import distributed

SETTINGS = {"distributed.comm.timeouts.connect": "60s", "distributed.admin.large-graph-warning-threshold": "1GB"}


@contextmanager
def warnings_of_servers():
    """What distributed's own servers say while they start, lose a worker, or stop is not about what is tested."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def two_workers():
    """Its client, which is nobody's default: `with warnings_of_servers(), client.as_current()`."""
    where = {"host": "127.0.0.1", "dashboard_address": None}
    with (
        warnings_of_servers(),
        dask.config.set(SETTINGS),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **where) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client
