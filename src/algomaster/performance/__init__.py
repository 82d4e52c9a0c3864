"""How well it went and how sure that is: metrics with error bars, results, plots, the HTML report."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.performance.comparison import Comparison, compare
    from algomaster.performance.drawdowns import ShuffledDrawdowns, shuffled_drawdowns
    from algomaster.performance.metrics import METRICS, summarize, table
    from algomaster.performance.report import write_report
    from algomaster.performance.result import Result
    from algomaster.performance.run_statistics import STATISTICS
    from algomaster.performance.trials.kept_days import compact_daily, daily_stride
    from algomaster.performance.trials.overfit import overfitting
    from algomaster.performance.trials.verdict import Overfitting

__all__ = [
    "METRICS",
    "STATISTICS",
    "Comparison",
    "Overfitting",
    "Result",
    "ShuffledDrawdowns",
    "compact_daily",
    "compare",
    "daily_stride",
    "overfitting",
    "shuffled_drawdowns",
    "summarize",
    "table",
    "write_report",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "METRICS": "algomaster.performance.metrics",
        "STATISTICS": "algomaster.performance.run_statistics",
        "Comparison": "algomaster.performance.comparison",
        "Overfitting": "algomaster.performance.trials.verdict",
        "Result": "algomaster.performance.result",
        "ShuffledDrawdowns": "algomaster.performance.drawdowns",
        "compact_daily": "algomaster.performance.trials.kept_days",
        "compare": "algomaster.performance.comparison",
        "daily_stride": "algomaster.performance.trials.kept_days",
        "overfitting": "algomaster.performance.trials.overfit",
        "shuffled_drawdowns": "algomaster.performance.drawdowns",
        "summarize": "algomaster.performance.metrics",
        "table": "algomaster.performance.metrics",
        "write_report": "algomaster.performance.report",
    },
)
