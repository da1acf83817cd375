"""From a submission folder to typed tables and issues; nothing here writes, scores or packages."""

from harness.validation.registry import RULES, Rule
from harness.validation.tree import Validation, validate

__all__ = ["RULES", "Rule", "Validation", "validate"]
