from tests.predictor.packages import package

__all__ = ["package"]
