"""Services: the API, the UIs, and the demo that shows them all."""

from typing import Annotated

import typer

from flows.commands.options import (
    BundleFolder,
    Model,
    Provider,
    ProviderOption,
    Workers,
    enter,
    registry_project,
)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8000,
    model: Model = "champion",
    bundle: BundleFolder = None,
    provider: ProviderOption = Provider.auto,
    workers: Workers = 0,
) -> None:
    """Serve the champion: POST /v1/videos:score, /health/live, /health/ready, /docs."""
    from serving.api.server import serve as serve_api

    serve_api(
        host,
        port,
        provider=provider.value,
        workers=workers,
        alias=model,
        bundle=bundle,
        project=registry_project() if bundle is None else None,
    )


def up(
    prefect_port: Annotated[int, typer.Option(help="Prefect's UI.", min=1, max=65535)] = 4200,
    mlflow_port: Annotated[int, typer.Option(help="MLflow's UI.", min=1, max=65535)] = 5000,
    api_port: Annotated[int, typer.Option(help="The scoring API.", min=1, max=65535)] = 8000,
    page_port: Annotated[int, typer.Option(help="The web page.", min=1, max=65535)] = 8501,
) -> None:
    """Start Prefect's and MLflow's UIs, the API and the page on 127.0.0.1; Ctrl-C ends them all."""
    project = enter()
    from flows.up import run_services

    run_services(project, prefect_port, mlflow_port, api_port, page_port)


def demo() -> None:
    """Everything once, on sample data: render, train, register, batch-score. What `make demo` runs."""
    project = enter()
    from flows.demo import run_demo

    run_demo(project)
