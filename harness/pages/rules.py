"""The entry of one validation rule on the site; the rules themselves are in `harness.validation`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleDoc:
    """One validation rule in words; no markup is read from any of its fields.

    Attributes:
        rule_id: id that messages end with, and the anchor of the rule on its page.
        severity: `error` or `warning`.
        summary: what the rule demands, in one sentence.
        why: what goes wrong without it.
        fix: how the contributor fixes it; empty where the message itself states that.
        example: a message as the command prints it; empty where there is none.
        subject: what the rule is about (files, header, cells); groups the page where it is given.
    """

    rule_id: str
    severity: str
    summary: str
    why: str
    fix: str = ""
    example: str = ""
    subject: str = ""
