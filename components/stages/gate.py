"""The stage `gate`: the verdict on the winner, and the report for people."""

from rich.console import Console

from components.documents import read_document, write_document
from components.evaluation.gate import as_table, decide
from components.evaluation.report import write_report
from components.evaluation.results import Evaluation
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
    # Those of the winner are not rounded; a share of fallbacks that is zero stands in the evaluation alone.
    figures = evaluation.candidates[winner.candidate].test | winner.figures
    report = decide(winner.candidate, figures, params.gate)
    write_document(report, project.gate)
    write_report(project.reports, report, winner, evaluation)
    Console().print(as_table(report))
