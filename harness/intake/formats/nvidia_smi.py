"""Runs logged with nvidia-smi: `NAME.csv` with `NAME_inference_time.csv`.

A mapping says who measured what, and which GPU is meant; what goes on in a log is in `harness.traces`.
"""

from harness.intake.run_logs import log_intake

FORMAT = log_intake("nvidia-smi", "runs with nvidia-smi logs, a folder", "nvidia-smi", [".csv", ".log", ".txt"])
