"""What a model was made of: digests of data, split, code and lock file. Knows no torch."""

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from components.bundle import Provenance
from components.errors import StageError

WRITTEN_BY_RUNS = ("dvc.lock", "data.dvc", "reports")
"""Changes of these are results of the code, not changes of the code."""


def provenance(root: Path, manifest: Sequence[Mapping[str, Any]]) -> Provenance:
    """Returns digests for a bundle.

    Args:
        root: the project folder.
        manifest: rows of `components.tables.MANIFEST`.
    """
    return Provenance(
        data=_digest(sorted([str(row["sha256"]), str(row["label"])] for row in manifest)),
        split=_digest(sorted([str(row["sha256"]), str(row["split"])] for row in manifest)),
        code=code_version(root),
        lock=lock_digest(root),
    )


def lock_digest(root: Path) -> str | None:
    """SHA-256 over dvc.lock's stages without export: what went into a bundle; None where there is no lock.

    Raises:
        StageError: dvc.lock is not YAML.
    """
    try:
        lock = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except yaml.YAMLError as error:
        raise StageError(
            f"{root / 'dvc.lock'}: not valid YAML; restore it with git checkout dvc.lock"
        ) from error
    stages = (lock or {}).get("stages") or {}
    return _digest({name: stage for name, stage in stages.items() if name != "export"})


def code_version(root: Path) -> str | None:
    """Returns the git commit, with `+dirty` where files differ from it; None outside of a repository."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    excluded = [f":(exclude){path}" for path in WRITTEN_BY_RUNS]
    changes = _git(root, "status", "--porcelain", "--", ".", *excluded)
    return f"{commit}+dirty" if changes else commit


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _digest(content: object) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
