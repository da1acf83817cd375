"""What a pull request changes, compared with what is published, as findings for whoever reviews it.

It removes no row; findings are issues under rules of `harness.validation`, and a maintainer decides.
"""

from harness.review.change import Change, Snapshot
from harness.review.checks import Reviewed, review

__all__ = ["Change", "Reviewed", "Snapshot", "review"]
