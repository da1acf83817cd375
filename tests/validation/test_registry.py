"""Rules of single columns are declared with the columns; the others in the registry."""

import pytest

from harness.schema.columns import columns_of
from harness.schema.records import ROWS
from harness.validation import RULES, registry

COLUMNS = {name: column.quantity for row in ROWS.values() for name, column in columns_of(row).items()}


def test_a_rule_that_a_quantity_explains_is_declared_with_the_bounds_of_the_quantity():
    rule = RULES["supply-range"]
    assert (rule.severity, rule.subject, rule.why) == ("error", "cells", COLUMNS["supply_mv"].why)
    assert COLUMNS["supply_mv"].expected in rule.summary


def test_no_two_columns_explain_one_rule():
    explained = [quantity.rule for quantity in COLUMNS.values() if quantity.why]
    assert len(set(explained)) == len(explained)


def test_a_column_with_a_rule_that_nothing_declares_stops_the_import(monkeypatch):
    others = {rule: declared for rule, declared in RULES.items() if rule != "supply-range"}
    monkeypatch.setattr(registry, "RULES", others)
    with pytest.raises(TypeError, match="supply_mv: rule supply-range is not declared; give the quantity its `why`"):
        registry._require_rules()
