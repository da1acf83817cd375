"""Runs measured with a Monsoon power monitor: `NAME_power.csv` with `NAME_inference_time.csv`, perhaps `baseline.csv`.

A mapping says who measured what; what goes on in a trace is in `harness.traces`.
"""

from harness.intake.run_logs import log_intake

FORMAT = log_intake("monsoon", "runs with Monsoon power traces, a folder", "Monsoon power monitor", ["_power.csv"])
