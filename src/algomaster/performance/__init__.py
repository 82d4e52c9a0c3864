"""How well it went and how sure that is: metrics with error bars, results, plots, the HTML report."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.performance.comparison import Comparison, compare
    from algomaster.performance.drawdowns import ShuffledDrawdowns, shuffled_drawdowns
    from algomaster.performance.metrics import METRICS, summarize, table
    from algomaster.performance.report import write_report
    from algomaster.performance.result import Result
    from algomaster.performance.ruin import Ruin, risk_of_ruin
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
    "Ruin",
    "ShuffledDrawdowns",
    "compact_daily",
    "compare",
    "daily_stride",
    "overfitting",
    "risk_of_ruin",
    "shuffled_drawdowns",
    "summarize",
    "table",
    "write_report",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Comparison": "algomaster.performance.comparison",
        "METRICS": "algomaster.performance.metrics",
        "Overfitting": "algomaster.performance.trials.verdict",
        "Result": "algomaster.performance.result",
        "Ruin": "algomaster.performance.ruin",
        "STATISTICS": "algomaster.performance.run_statistics",
        "ShuffledDrawdowns": "algomaster.performance.drawdowns",
        "compact_daily": "algomaster.performance.trials.kept_days",
        "compare": "algomaster.performance.comparison",
        "daily_stride": "algomaster.performance.trials.kept_days",
        "overfitting": "algomaster.performance.trials.overfit",
        "risk_of_ruin": "algomaster.performance.ruin",
        "shuffled_drawdowns": "algomaster.performance.drawdowns",
        "summarize": "algomaster.performance.metrics",
        "table": "algomaster.performance.metrics",
        "write_report": "algomaster.performance.report",
    },
)
