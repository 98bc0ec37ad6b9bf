"""A project folder that was moved or copied keeps its MLflow runs and models.

MLflow writes absolute addresses of artifacts into its database. In a folder that has moved they would lead to
where it stood before: into nothing, or for a copy into the original.
"""

from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
from sqlalchemy import create_engine, func, literal, update

ADDRESSES = (
    (SqlExperiment, "artifact_location"),
    (SqlRun, "artifact_uri"),
    (SqlLoggedModel, "artifact_location"),
    (SqlModelVersion, "source"),
    (SqlModelVersion, "storage_location"),
)
"""Tables and columns in which MLflow 3 keeps the address of an artifact."""


def rewrite_addresses(store: str, before: str, now: str) -> None:
    """Replaces the address of a folder by another in the addresses of all that lies in it.

    Args:
        store: URI of the database.
        before: URI of the folder in which artifacts were.
        now: URI of the folder in which they are.

    Raises:
        SQLAlchemyError: the database cannot be written.
    """
    engine = create_engine(store)
    try:
        with engine.begin() as connection:
            for table, name in ADDRESSES:
                column = getattr(table, name)
                inside = (column == before) | column.startswith(f"{before}/", autoescape=True)
                moved = literal(now) + func.substr(column, len(before) + 1)
                connection.execute(update(table).where(inside).values({name: moved}))
    finally:
        engine.dispose()
