"""What a training uses of the machine, beside its metrics."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlflow.environment_variables import MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING
from mlflow.exceptions import MlflowException
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

_monitor: Any = SystemMetricsMonitor  # MLflow leaves it untyped


@contextmanager
def system_metrics(run_id: str) -> Iterator[None]:
    """Logs processor, memory, disk, network and GPU every ten seconds.

    A thread reads counters of this machine; nothing is sent but to the run. Trainings that are over sooner
    have none. Figures of a GPU need the package nvidia-ml-py. `MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL` sets
    the seconds.
    """
    asked: Any = MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING
    if asked.is_set() and not asked.get():
        yield
        return
    logging.getLogger("mlflow.system_metrics.system_metrics_monitor").setLevel(logging.ERROR)
    try:
        monitor = _monitor(run_id, resume_logging=True)
    except MlflowException:  # the live run says what is wrong with the store
        yield
        return
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()
