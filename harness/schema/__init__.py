"""What a record is: vocabulary, quantities, rows, facts, and every form that is derived from them."""
