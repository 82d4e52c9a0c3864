"""How well it went and how sure that is: metrics with error bars, results, plots, the HTML report."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.performance.metrics import METRICS, summarize, table
    from algomaster.performance.report import write_report
    from algomaster.performance.result import Result

__all__ = ["METRICS", "Result", "summarize", "table", "write_report"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "METRICS": "algomaster.performance.metrics",
        "Result": "algomaster.performance.result",
        "summarize": "algomaster.performance.metrics",
        "table": "algomaster.performance.metrics",
        "write_report": "algomaster.performance.report",
    },
)
