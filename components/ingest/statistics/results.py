"""`reports/dataset/statistics.json`: what the data are, for people, for the page and for version control."""

from components.datasets.layouts.base import Label, Split
from components.ingest.statistics.bins import FileProperty
from components.values import Frozen


class LabelCounts(Frozen):
    """What some videos hold.

    Attributes:
        videos: all of them; `unlabelled` are those of which nobody says what they are.
        people: different people who are named; the videos that name nobody are `unnamed`.
        seconds: of all videos together.
    """

    videos: int
    real: int
    fake: int
    unlabelled: int
    people: int
    unnamed: int
    seconds: float
    bytes: int

    @property
    def fake_share(self) -> float | None:
        """Shares of fakes among labelled videos; None where there are none."""
        labelled = self.real + self.fake
        return self.fake / labelled if labelled else None


class Holdings(LabelCounts):
    """A dataset, or all of them: `broken` videos by status, and sound ones that take no part by reason."""

    dealt: int
    broken: dict[str, int]
    excluded: dict[str, int]


class MethodCount(Frozen):
    """Videos made in one way, by split; `none` is the method of genuine videos."""

    label: Label
    method: str
    train: int
    val: int
    test: int

    @property
    def videos(self) -> int:
        return self.train + self.val + self.test


class Bin(Frozen):
    """Labelled videos in one bin of a property."""

    bin: str
    real: int
    fake: int


class Shortcut(Frozen):
    """How well one property of the file alone tells real from fake.

    Attributes:
        accuracy: balanced accuracy on validation and test videos of the rule "guess the class of which
            the larger share of training videos lies in this bin"; 0.5 is chance.
        margin: half of its 95 % interval.
    """

    accuracy: float
    margin: float


class Spread(Frozen):
    """The smallest value, the 5th, 50th and 95th percentile, and the largest value."""

    smallest: float
    p5: float
    median: float
    p95: float
    largest: float


class FormatStatistics(Frozen):
    """One property of the files: its bins in order, its spread if it is a number, and what it gives away."""

    bins: tuple[Bin, ...]
    spread: Spread | None
    shortcut: Shortcut | None


class Statistics(Frozen):
    """The whole document. `splits`, `cells`, `methods` and `formats` count videos that stand in a split."""

    total: Holdings
    datasets: dict[str, Holdings]
    splits: dict[Split, LabelCounts]
    cells: dict[str, dict[Split, LabelCounts]]
    methods: tuple[MethodCount, ...]
    formats: dict[FileProperty, FormatStatistics]
