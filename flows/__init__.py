"""Orchestration, the top floor: the only room that imports Prefect. Nothing imports flows."""
