"""Names and titles of the metrics that a model is measured by; how they are computed is no matter here."""

METRICS = ("auc", "f1", "accuracy", "precision", "recall", "eer", "log_loss")
"""Metrics of a set of scored videos, in the order in which reports show them."""

ENDS = ("low", "high")
"""Ends of a metric's interval, which stand beside it as `auc_low` and `auc_high`."""

SHARES = ("coverage", "fallback")
"""Shares of the decodable videos, which have no interval."""

TEST_METRICS = (*METRICS, *SHARES, *(f"{metric}_{end}" for metric in METRICS for end in ENDS))
"""Every figure that `evaluate` writes of the winner on test videos."""

UNBOUNDED = "log_loss"
"""The only metric that may exceed one."""

TITLES = {"auc": "AUC", "f1": "F1", "eer": "Equal error rate", "fallback": "Scored without a face"}


def title(name: str) -> str:
    """A figure's name as people write it."""
    metric, _, end = name.rpartition("_")
    if metric in METRICS and end in ENDS:
        return f"{title(metric)}, {end} end of its interval"
    return TITLES.get(name, name.replace("_", " ").capitalize())
