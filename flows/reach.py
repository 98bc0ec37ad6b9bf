"""Whether the servers that the environment names answer: asked at once, before anything is begun."""

import os

from components.addresses import SECONDS_TO_ANSWER, unreachable
from components.errors import StageError
from components.project import Project

OWN_SERVER = "a server of the project's own"


def check_mlflow(project: Project) -> None:
    """Asks MLflow, if the environment names a store.

    Raises:
        RegistryError: it is out of reach, is something else, or refuses.
    """
    if os.environ.get("MLFLOW_TRACKING_URI"):
        from components.tracking.store import connect

        connect(project)


def check_prefect() -> None:
    """Asks Prefect's API, if the environment names one, for something that only its clients get.

    Raises:
        StageError: it is out of reach, is something else, or refuses.
    """
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return
    try:
        from httpx import HTTPError, InvalidURL
        from prefect.client.orchestration import get_client
        from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
    except ValueError as error:  # Prefect reads its settings when it is imported
        raise StageError(unreachable("PREFECT_API_URL", url, error, OWN_SERVER)) from error
    try:
        with (
            temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
            get_client(sync_client=True, httpx_settings={"timeout": SECONDS_TO_ANSWER}) as client,
        ):
            client.read_flows(limit=1)
    except (HTTPError, InvalidURL, ValueError, RuntimeError) as error:
        raise StageError(unreachable("PREFECT_API_URL", url, error, OWN_SERVER)) from error
