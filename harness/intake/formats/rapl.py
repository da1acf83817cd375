"""Runs logged from the RAPL counters of a CPU: `NAME.csv` with `NAME_inference_time.csv`.

A mapping says who measured what, and which part of the CPU is meant; what goes on in a log is in `harness.traces`.
"""

from harness.intake.run_logs import log_intake

FORMAT = log_intake("rapl", "runs with RAPL logs, a folder", "RAPL counters", [".csv", ".log", ".txt"])
