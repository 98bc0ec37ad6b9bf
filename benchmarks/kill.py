"""The stage `faces`, killed again and again: is the finished store that of an undisturbed run?

    python benchmarks/kill.py

Makes 200 short clips of sample people, each encoded with noise of its own, and runs the stage on them twice:
in one project undisturbed, in another with kill -9 of its process group at 20 random moments, in start-up or
while it cuts, and a new start after each. Then every file of both stores and both tables are compared. Prints
what was there at each kill; ends with 1 where a byte differs, a clip was cut twice, half a file is left, or a
worker outlives the stage that started it.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import av
import numpy as np

from components.export.detector import convert
from components.project import Project
from components.tables import MANIFEST, write_table
from sample import SampleSettings, generate

ROOT = Path(__file__).resolve().parents[1]
PEOPLE, FRAMES = 4, 10
START_UP = 0.25
"""Share of the kills that fall into the first seconds of a run."""

PATIENCE = 60.0
"""Seconds in which a worker must notice that its stage is gone."""


class Kill(NamedTuple):
    seconds: float  # that the run had
    clips: int  # in the store afterwards
    halves: int  # half-written files among them
    workers: int  # that ran
    orphaned: float  # seconds until the last of them had ended


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--workers", type=int, default=0, help="0 is one for each core")
    parser.add_argument("--folder", type=Path, help="where to make the projects; a temporary one by default")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="unmask-kill-", dir=arguments.folder) as folder:
        whole, killed = (Project(Path(folder) / name) for name in ("whole", "killed"))
        make_project(whole, arguments.clips)
        shutil.copytree(whole.root, killed.root)
        start = time.monotonic()
        run(whole, arguments.workers)
        seconds = time.monotonic() - start
        print(
            f"undisturbed: {len(clips(whole))} clips of {arguments.clips} videos in {seconds:.1f} s",
            flush=True,
        )
        rng = np.random.default_rng(arguments.seed)
        kills, again = kill_often(killed, arguments, rng, seconds / arguments.clips)
        (killed.clips / ".left-by-a-kill.4711").write_bytes(b"half a file, should no kill have left one")
        run(killed, arguments.workers)
        faults = compare(whole, killed, arguments.clips) + again
    report(kills, seconds, arguments, faults)
    sys.exit(1 if faults else 0)


def make_project(project: Project, count: int) -> None:
    """A project whose manifest names `count` videos of different content."""
    samples = project.root / "samples"
    generate(samples, SampleSettings(people=PEOPLE, frames=FRAMES), progress=False)
    takes = [decode(path) for path in sorted(samples.glob("*/*.mp4"))]
    shutil.rmtree(samples)
    shutil.copy(ROOT / "params.yaml", project.params)
    project.data.mkdir()
    rows = [
        manifest_row(project, encode(project.data / f"v{index:04}.mp4", takes[index % len(takes)], index))
        for index in range(count)
    ]
    if len({row["sha256"] for row in rows}) < count:
        raise SystemExit("two videos have the same content; the noise is too weak")
    write_table(rows, MANIFEST, project.manifest)
    convert(project.detector)


def decode(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def encode(path: Path, frames: Sequence[np.ndarray], seed: int) -> Path:
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "23", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for frame in frames:
            noisy = np.clip(frame + rng.normal(0, 4, frame.shape), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, "rgb24")))
        container.mux(stream.encode())
    return path


def manifest_row(project: Project, path: Path) -> dict[str, Any]:
    return {
        "video_id": path.stem,
        "path": str(path.relative_to(project.root)),
        "sha256": digest(path),
        "split": "train",
        "status": "ok",
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def start_stage(project: Project, workers: int) -> subprocess.Popen[bytes]:
    with (project.root / "log").open("w") as log:  # no pipe: workers that live on would hold it open
        return subprocess.Popen(
            [sys.executable, "-m", "components", "faces", "--workers", str(workers)],
            cwd=project.root,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=log,
            process_group=0,
        )


def run(project: Project, workers: int) -> None:
    """Run the stage to its end."""
    if code := start_stage(project, workers).wait():
        raise SystemExit(f"the stage ended with {code}:\n{(project.root / 'log').read_text()}")


def clips(project: Project) -> dict[str, int]:
    """Finished clips, and when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in project.clips.glob("[!.]*")}


def kill_often(
    project: Project, arguments: argparse.Namespace, rng: np.random.Generator, pace: float
) -> tuple[list[Kill], list[str]]:
    """Start and kill the stage; what was seen, and what should not have been.

    Most moments are drawn as a number of clips, so that they are spread over the work whatever the machine
    does meanwhile, and a random part of the time that a clip takes.
    """
    kills: list[Kill] = []
    faults: list[str] = []
    for count in sorted(rng.choice(arguments.clips, arguments.kills, replace=False).tolist()):
        before = clips(project)
        early = rng.random() < START_UP
        delay = rng.uniform(0.0, 2.0) if early else rng.uniform(0.0, 2 * pace)
        kill = kill_once(project, arguments.workers, 0 if early else count, delay)
        after = clips(project)
        if kill is None:
            faults.append(f"the stage had ended before it could be killed at {count} clips")
            break
        if changed := [name for name in before if after.get(name) != before[name]]:
            faults.append(f"{len(changed)} clips that were there have been cut again or are gone")
        if kill.orphaned > PATIENCE:
            faults.append(f"a worker still lives {PATIENCE:.0f} s after its stage was killed")
        kills.append(kill)
    return kills, faults


def kill_once(project: Project, workers: int, count: int, delay: float) -> Kill | None:
    """Kill the stage so many seconds after it has stored so many clips; None where it ended by itself."""
    start = time.monotonic()
    stage = start_stage(project, workers)
    while len(clips(project)) < count and stage.poll() is None:
        time.sleep(0.002)
    time.sleep(delay)
    orphans = children(stage.pid)
    lived = time.monotonic() - start
    with suppress(ProcessLookupError):
        os.killpg(stage.pid, signal.SIGKILL)
    killed = time.monotonic()
    stage.wait()
    while any(map(alive, orphans)) and time.monotonic() - killed <= PATIENCE:
        time.sleep(0.01)
    halves = len(list(project.clips.glob(".*")))
    seen = Kill(lived, len(clips(project)), halves, len(orphans), time.monotonic() - killed)
    return seen if stage.returncode == -signal.SIGKILL else None


def children(pid: int) -> list[int]:
    found: list[int] = []
    for told in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in told.read_text().split()]
    return found


def alive(pid: int) -> bool:
    """Not a zombie either: those wait for somebody to take note of their end."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def compare(whole: Project, killed: Project, count: int) -> list[str]:
    """What differs between the outputs of two projects."""
    first, second = (
        {path.name: digest(path) for path in [*project.clips.iterdir(), project.faces]}
        for project in (whole, killed)
    )
    differing = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    faults = [f"{name} differs, or is in one store only" for name in differing]
    if len(first) != count + 1:
        faults.append(f"{len(first) - 1} clips of {count} videos, so that little is compared")
    return faults


def report(kills: list[Kill], seconds: float, arguments: argparse.Namespace, faults: list[str]) -> None:
    print("\n| kill | run, s | clips there | half files | workers | they lived on, s |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for number, kill in enumerate(kills, start=1):
        print(
            f"| {number} | {kill.seconds:.2f} | {kill.clips} | {kill.halves} | {kill.workers} "
            f"| {kill.orphaned:.2f} |"
        )
    verdict = "\n".join(faults) or "the stores and the tables are identical, byte by byte"
    print(f"\n{len(kills)} kills, {arguments.clips} clips: {verdict}")
    told = {"undisturbed_seconds": seconds, "kills": [kill._asdict() for kill in kills], "faults": faults}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
