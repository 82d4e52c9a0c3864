"""How well it went and how sure that is: metrics with error bars, results, plots, the HTML report."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.performance.metrics import METRICS, summarize, table
    from algomaster.performance.report import write_report
    from algomaster.performance.result import Result
    from algomaster.performance.ruin import Ruin, risk_of_ruin

__all__ = ["METRICS", "Result", "Ruin", "risk_of_ruin", "summarize", "table", "write_report"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "METRICS": "algomaster.performance.metrics",
        "Result": "algomaster.performance.result",
        "Ruin": "algomaster.performance.ruin",
        "risk_of_ruin": "algomaster.performance.ruin",
        "summarize": "algomaster.performance.metrics",
        "table": "algomaster.performance.metrics",
        "write_report": "algomaster.performance.report",
    },
)
