"""Power traces: foreign logs to samples on one clock, and samples to energy per inference.

It judges nothing and writes nothing; findings are faults that name a rule.
"""
