"""The stage `gate`: the verdict on the winner, and the report for people."""

from rich.console import Console

from components.evaluation.gate import GateReport, as_table, decide
from components.evaluation.report import write_report
from components.evaluation.results import Evaluation, read_document, write_document
from components.evaluation.winner import Winner
from components.params import Params
from components.project import Project


def run(project: Project, params: Params) -> None:
    """Writes `reports/gate.json` and `reports/report.html`, and prints the rules.

    Ends well also when the gate does not pass: the verdict is data here, and the flow acts on it.

    Raises:
        StageError: evaluate has not run.
    """
    winner = read_document(Winner, project.winner)
    evaluation = read_document(Evaluation, project.evaluation)
    verdict = decide({name: found.value for name, found in winner.metrics.items()}, params.gate)
    report = GateReport(winner=winner.candidate, **verdict.model_dump())
    write_document(report, project.gate)
    write_report(project.reports, report, winner, evaluation)
    Console().print(as_table(report))
