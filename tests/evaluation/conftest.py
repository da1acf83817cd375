from tests.evaluation.releases import in_process
from tests.predictor.packages import package

__all__ = ["in_process", "package"]
