"""The only room that imports mlflow: runs, the registry and its aliases."""
