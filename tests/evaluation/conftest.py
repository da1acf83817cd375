from tests.evaluation.releases import in_process
from tests.evaluation.trial import package

__all__ = ["in_process", "package"]
