"""Runs logged with tegrastats on NVIDIA Jetson boards: `NAME.log` with `NAME_inference_time.csv`.

A mapping says who measured what, and which rail is meant; what goes on in a log is in `harness.traces`.
"""

from harness.intake.run_logs import log_intake

FORMAT = log_intake("tegrastats", "runs with tegrastats logs, a folder", "tegrastats", [".log", ".txt", ".csv"])
