"""The stage `ingest` over many small files: files per second, a run where nothing has changed, memory.

    python benchmarks/ingest.py --files 100000

Makes a project in a temporary folder: some hundred distinct videos of noise, and many files of each whose
bytes differ all the same, since a `free` box with a number is appended, which players pass over. So every
file is hashed and decoded. The stage runs as a child process, as DVC runs it; memory is the sum of the
resident sets of it and its workers, sampled ten times a second (pages that they share count twice). Prints a
table, and one line of JSON. What it does not show: a hundred thousand different fingerprints, for which there
is benchmarks/near_duplicates.py.
"""

import argparse
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SIDE, FRAMES = 96, 12
DISTINCT = 500
PAGE = os.sysconf("SC_PAGE_SIZE")


class Measured(NamedTuple):
    seconds: float
    rss_mb: float
    said: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument(
        "--folder", type=Path, help="where to make the project; a temporary folder by default"
    )
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="unmask-ingest-", dir=arguments.folder) as folder:
        results = measure(Path(folder), arguments.files)
    for name, value in results.items():
        print(f"{name:>24}  {value:,.1f}")
    print(json.dumps(results))


def measure(project: Path, files: int) -> dict[str, float]:
    """Make the project and run the stage on it: at first, unchanged, after changes, with its outputs gone."""
    shutil.copy(ROOT / "params.yaml", project)
    paths = make_files(project / "data", files)
    shown(f"{files} files, {statistics.mean(path.stat().st_size for path in paths):.0f} bytes on average")
    first = stage(project)
    unchanged = stage(project)
    if "nothing changed" not in unchanged.said:
        raise SystemExit(f"the second run should have found nothing changed:\n{unchanged.said}")
    for path in paths[:: max(1, len(paths) // (files // 200 or 1))]:
        path.touch()
    for path in paths[1 :: max(1, len(paths) // (files // 200 or 1))]:
        append(path, 2 * files)
    changed = stage(project)
    (project / "artifacts" / "manifest.parquet").unlink()
    again = stage(project)
    return {
        "files": files,
        "first_seconds": first.seconds,
        "first_files_per_second": files / first.seconds,
        "first_rss_mb": first.rss_mb,
        "unchanged_seconds": unchanged.seconds,
        "unchanged_rss_mb": unchanged.rss_mb,
        "one_percent_seconds": changed.seconds,
        "one_percent_rss_mb": changed.rss_mb,
        "outputs_gone_seconds": again.seconds,
    }


def make_files(data: Path, files: int) -> list[Path]:
    """Videos of `files` / 10 people, an hour old: half real, half fake, ten thousand files to a folder."""
    distinct = [render(data.parent / "one.mp4", seed) for seed in range(min(DISTINCT, files))]
    (data.parent / "one.mp4").unlink()
    lines, paths = ["path,label,identity,method"], []
    for number in range(files):
        label = ("real", "fake")[number % 2]
        name = f"{label}/{number // 10_000:03d}/v{number:06d}.mp4"
        paths.append(write(data / name, distinct[number % len(distinct)], number))
        lines.append(f"{name},{label},p{number % (files // 10 or 1):05d},{('none', 'swap')[number % 2]}")
    (data / "manifest.csv").write_text("\n".join(lines) + "\n")
    return paths


def render(path: Path, seed: int) -> bytes:
    """A short video of a smooth pattern that drifts; another seed, another pattern."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    picture = np.kron(coarse, np.ones((SIDE // 6, SIDE // 6, 1), np.uint8))
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, width=SIDE, height=SIDE, pix_fmt="yuv420p")
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, index, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


def write(path: Path, video: bytes, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(video)
    append(path, number)
    old = time.time() - 3600
    os.utime(path, (old, old))
    return path


def append(path: Path, number: int) -> None:
    with path.open("ab") as file:
        file.write(struct.pack(">I4sQ", 16, b"free", number))


def stage(project: Path) -> Measured:
    """Run the stage as DVC does."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "components", "ingest"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(rss, family(process.pid))))
        time.sleep(0.1)
    seconds = time.monotonic() - begun
    said = process.stderr.read() if process.stderr else ""
    if process.returncode:
        raise SystemExit(said)
    shown(f"{seconds:8.1f} s  {peak / 2**20:6.0f} MB  {said.strip().splitlines()[-1]}")
    return Measured(seconds, peak / 2**20, said)


def family(pid: int) -> list[int]:
    """A process and its children."""
    children: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(child) for child in tasks.read_text().split()]
        except OSError:
            continue
    return [pid, *children]


def rss(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def shown(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
