"""What near-duplicate detection finds, what it takes for alike that is not, and what it costs.

    python benchmarks/near_duplicates.py              # a rendered sample whose seed set no bound
    python benchmarks/near_duplicates.py FOLDER       # one's own, each a stranger to all others

Prints, with 95 % Wilson intervals, the share of pairs of strangers that are taken for near duplicates, also
of such who are filmed on one set, and the share of copies that are found; before that, what 100,000 random
fingerprints cost. A pair
is found where `components.splits.near_duplicates` finds it among these two videos. Where a folder's
manifest.csv names people (`identity`) and recordings (`source`), pairs that share one are left out.
"""

import argparse
import csv
import itertools
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import av
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import binomtest

from components.arrays import Floats32
from components.faces.pool import WorkerPool
from components.splits.near_duplicates import near_duplicates
from components.video.examine import Examined
from components.video.fingerprint import (
    CHANGE_WORDS,
    SAMPLED_PICTURES,
    fingerprint_words,
    make_fingerprint,
    shrink,
)
from components.video.frames import map_spread, probe
from components.video.limits import Limits
from sample import SampleSettings, generate, scene

SEED = 2027
LIBRARY_SIZE = 100_000

# Name: encoder, its options, FFmpeg's filters, frames a second ("": as they are).
COPIES = {
    "H.264 crf 23": ("libx264", {"crf": "23"}, "", 0),
    "H.264 crf 40": ("libx264", {"crf": "40"}, "", 0),
    "half size": ("libx264", {"crf": "28"}, "scale=iw/2:-2", 0),
    "12 frames a second": ("libx264", {"crf": "23"}, "", 12),
    "60 frames a second": ("libx264", {"crf": "23"}, "", 60),
    "MPEG-4, 200 kbit/s": ("mpeg4", {"b": "200k"}, "", 0),
    "VP9 crf 45": ("libvpx-vp9", {"crf": "45", "deadline": "realtime", "cpu-used": "8"}, "", 0),
    "a keyframe each 5 frames": ("libx264", {"crf": "30", "g": "5", "bf": "0"}, "", 0),
    "brighter by 5 % and 8 levels": ("libx264", {"crf": "23"}, "lutyuv=y=val*1.05+8", 0),
    "half size, 15 fps, crf 36, brighter": (
        "libx264",
        {"crf": "36"},
        "scale=iw/2:-2,lutyuv=y=val*1.05+5",
        15,
    ),
    "cropped by 5 % a side": ("libx264", {"crf": "23"}, "crop=iw*0.9:ih*0.9", 0),
    "mirrored": ("libx264", {"crf": "23"}, "hflip", 0),
}
BEYOND = {"cropped by 5 % a side", "mirrored"}
"""What a perceptual hash is not made to see through; measured so that nobody expects it."""

CARD = np.add.outer(np.linspace(20, 180, 32), 40 * (np.arange(32) % 9 < 4)).astype(np.float32)

# What is done to the sampled pictures of people on one set.
SETS: dict[str, Callable[[list[Floats32]], list[Floats32]]] = {
    "one set": lambda pictures: pictures,
    "one set, a black start": lambda pictures: [0 * pictures[0], 0 * pictures[0], *pictures[2:]],
    "one set, a title card": lambda pictures: [CARD, CARD, *pictures[2:]],
    "one set, dark": lambda pictures: [np.floor(picture * np.float32(0.15)) for picture in pictures],
}

console = Console(width=130)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=72)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--every", type=int, default=4, help="copies are made of each n-th video")
    arguments = parser.parse_args()
    scale()  # first, so that the peak of memory is its own
    with TemporaryDirectory(prefix="unmask-copies-") as scratch:
        folder = arguments.folder or Path(scratch) / "sample"
        if not arguments.folder:
            generate(folder, SampleSettings(people=arguments.people, seed=arguments.seed))
        originals = fingerprints(sorted(folder.rglob("*.mp4")))
        strangers(folder, originals)
        if not arguments.folder:
            on_one_set(Path(scratch) / "set", arguments.people // 2, arguments.seed)
        copies(list(originals.items())[:: arguments.every], Path(scratch))


def fingerprints(paths: list[Path]) -> dict[Path, str]:
    """Of the videos that have one; says how long examining took, and which have none."""
    start = time.perf_counter()
    with WorkerPool(1, Limits()) as pool:
        found = dict(pool.examine(paths))
    seconds = time.perf_counter() - start
    examined = {path: found[index] for index, path in enumerate(paths)}
    kept = {p: e.fingerprint for p, e in examined.items() if isinstance(e, Examined) and e.fingerprint}
    console.print(
        f"{len(paths)} videos examined in {seconds:.1f} s by one worker; {len(kept)} have a fingerprint"
    )
    return kept


def strangers(folder: Path, originals: dict[Path, str]) -> None:
    """False alarms among pairs that share neither a person nor a recording."""
    ties = known_ties(folder)
    pairs = [
        pair for pair in itertools.combinations(originals, 2) if not ties[pair[0]].intersection(ties[pair[1]])
    ]
    alarms = [pair for pair in pairs if alike(originals[pair[0]], originals[pair[1]])]
    distances = [distance(originals[a], originals[b]) for a, b in pairs]
    console.print(
        f"strangers: {rate(len(alarms), len(pairs))} taken for near duplicates; of the bits of "
        f"changes, {min(distances):.1%} differ between the nearest, {np.median(distances):.1%} in the median"
    )
    for pair in alarms:
        console.print("  taken for alike:", *(path.name for path in pair))


def on_one_set(folder: Path, people: int, seed: int) -> None:
    """False alarms among people before the same background, in the same light, filmed by the same camera."""
    background, light, camera = scene._background, scene._draw_light, scene._draw_camera
    with (
        patch.object(scene, "_background", lambda w, h, _: background(w, h, np.random.default_rng(seed))),
        patch.object(scene, "_draw_light", lambda _: light(np.random.default_rng(seed))),
        patch.object(scene, "_draw_camera", lambda w, h, _: camera(w, h, np.random.default_rng(seed))),
    ):
        generate(folder, SampleSettings(people=people, seed=seed, workers=1))
    videos = [sampled(path) for path in sorted(folder.glob("real/*.mp4"))]
    for name, change in SETS.items():
        kept = [found for pictures in videos if (found := make_fingerprint(change(pictures)))]
        pairs = list(itertools.combinations(kept, 2))
        clusters = Counter(first for first in near_duplicates(kept) if first is not None)
        console.print(
            f"{name}: {len(kept)} of {len(videos)} have a fingerprint; strangers: "
            f"{rate(sum(alike(*pair) for pair in pairs), len(pairs))} taken for near duplicates; "
            f"the largest cluster has {max(clusters.values(), default=0)}"
        )


def sampled(path: Path) -> list[Floats32]:
    limits = Limits()
    return map_spread(path, probe(path, limits), SAMPLED_PICTURES, limits, lambda frame: shrink(frame.image))


def known_ties(folder: Path) -> defaultdict[Path, set[str]]:
    """The people and recordings of each video, where the folder's manifest.csv names them."""
    ties: defaultdict[Path, set[str]] = defaultdict(set)
    manifest = folder / "manifest.csv"
    rows: Iterable[dict[str, str]] = []
    if manifest.is_file():
        rows = csv.DictReader(manifest.read_text(encoding="utf-8").splitlines())
    for row in rows:
        told = [*row.get("identity", "").split(";"), row.get("source", "")]
        ties[folder / row["path"]] = {value for value in told if value}
    return ties


def copies(originals: list[tuple[Path, str]], scratch: Path) -> None:
    """The share of copies that are found, by what was done to them."""
    table = Table("copy", "found", "", "bits of changes that differ: median", "most")
    totals = [0, 0]
    for name, how in track(COPIES.items(), "copying", console=Console(stderr=True)):
        prints = copied(originals, scratch, *how)
        distances = [distance(original, copy) for original, copy in prints if copy]
        found = sum(alike(original, copy) for original, copy in prints)
        if name not in BEYOND:
            totals = [totals[0] + found, totals[1] + len(prints)]
        share, interval = rate(found, len(prints)).split(" ", 1)
        table.add_row(name, share, interval, f"{np.median(distances):.1%}", f"{max(distances):.1%}")
    console.print(table)
    console.print(f"all but {' and '.join(sorted(BEYOND))}: {rate(*totals)} found")


def copied(
    originals: list[tuple[Path, str]],
    scratch: Path,
    codec: str,
    options: dict[str, str],
    filters: str,
    fps: int,
) -> list[tuple[str, str | None]]:
    """The fingerprint of each video with that of its copy."""
    target = scratch / ("copy.webm" if "vp9" in codec else "copy.mp4")
    prints: list[tuple[str, str | None]] = []
    with WorkerPool(1, Limits()) as pool:
        for source, original in originals:
            transcode(source, target, codec, options, filters, fps)
            answer = pool.examine_one(target)
            prints.append((original, answer.fingerprint if isinstance(answer, Examined) else None))
    return prints


def transcode(
    source: Path, target: Path, codec: str, options: dict[str, str], filters: str, fps: int
) -> None:
    """Encode a video anew. `fps` 0 keeps its rate."""
    with av.open(source) as reading, av.open(target, "w") as writing:
        stream = reading.streams.video[0]
        stream.thread_type = "AUTO"
        rate = Fraction(fps or round(float(stream.average_rate or 25)))
        encoder = writing.add_stream(codec, rate=rate, options=options)
        graph = linked(stream, f"fps={rate}" + (f",{filters}" if filters else ""))
        for frame in itertools.chain(reading.decode(stream), [None]):
            graph.vpush(frame)
            for picture in pulled(graph):
                if not encoder.codec_context.is_open:
                    encoder.width, encoder.height = picture.width // 2 * 2, picture.height // 2 * 2
                    encoder.pix_fmt = "yuv420p"
                picture.pict_type = 0  # for the encoder to choose
                writing.mux(encoder.encode(picture))
        writing.mux(encoder.encode())


def linked(stream: av.VideoStream, filters: str) -> av.filter.Graph:
    """A chain of filters, given as on FFmpeg's command line."""
    graph = av.filter.Graph()
    nodes = [graph.add_buffer(template=stream)]
    for text in filters.split(","):
        name, _, arguments = text.partition("=")
        nodes.append(graph.add(name, arguments or None))
    nodes.append(graph.add("buffersink"))
    for one, other in itertools.pairwise(nodes):
        one.link_to(other)
    graph.configure()
    return graph


def pulled(graph: av.filter.Graph) -> Iterable[av.VideoFrame]:
    """The pictures that a chain holds ready."""
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return


def scale() -> None:
    """Seconds and memory for as many random fingerprints as the largest datasets have videos."""
    rng = np.random.default_rng(0)
    library = [rng.bytes(128).hex() for _ in range(LIBRARY_SIZE)]
    before, start = peak_mib(), time.perf_counter()
    near_duplicates(library)
    seconds = time.perf_counter() - start
    console.print(
        f"{LIBRARY_SIZE:,} random fingerprints: {seconds:.1f} s, {peak_mib() - before} MiB more than before"
    )


def alike(one: str, other: str | None) -> bool:
    return near_duplicates([one, other]) == [0, 0]


def distance(one: str, other: str) -> float:
    """Share of the changes' bits that differ, where both say something."""
    first, second = fingerprint_words([one, other])[:, CHANGE_WORDS]
    differing = np.bitwise_count(first ^ second)[(first != 0) & (second != 0)]
    return float(differing.mean()) / 64 if differing.size else 1.0


def rate(successes: int, trials: int) -> str:
    """A share with its 95 % Wilson interval."""
    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return f"{successes}/{trials} ({interval.low:.2%} to {interval.high:.2%})"


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
