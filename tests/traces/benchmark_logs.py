"""Logs of benchmarks with invented figures: LoadGen's and PTDaemon's of MLPerf Inference, results of MLPerf Tiny."""

import json

BEGIN, END = "07-13-2026 11:00:10.500", "07-13-2026 11:00:30.500"


def loadgen(**values):
    """Detailed log with a window of 20 s from 11:00:10.5 on, and other values by their key; None leaves one out."""
    entries = {"power_begin": BEGIN, "power_end": END, "result_query_count": 40} | values
    lines = [f":::MLLOG {json.dumps({'key': key, 'value': value, 'time_ms': 1.5})}" for key, value in entries.items()]
    wanted = [line for line, value in zip(lines, entries.values(), strict=True) if value is not None]
    return "\n".join([':::MLLOG {"key": "loadgen_version", "value": "4.0"}', *wanted]) + "\n"


def spl(busy_w=8.0, idle_w=3.0, seconds=60):
    """Power log of a minute from 11:00:00 on, with a busy device from 11:00:10.5 to 11:00:30.5."""
    lines = []
    for second in range(seconds):
        # A row is the mean of the second before it; those of 11 and of 31 are half busy.
        watts = busy_w if 11 < second <= 30 else (busy_w + idle_w) / 2 if second in (11, 31) else idle_w
        ripple = 0.01 * (second % 3)
        lines.append(
            f"Time,07-13-2026 11:00:{second:02d}.000,Watts,{watts + ripple:.6f},Volts,230.1,Amps,0.04,PF,0.5,Mark,run\n"
        )
    return "".join(lines)


def tiny_results(powers_mw=(20.0, 20.25, 20.5, 20.75, 21.0), n_each=100, window_ms=1000):
    """Results of an energy run with a trial for each power, 1 mW before and after its window."""
    trials = []
    for power in powers_mw:
        window = [(power + 0.25 * (-1) ** sample) * 1e-6 for sample in range(window_ms)]
        samples = [1e-6] * 500 + window + [1e-6] * 50
        marks = [["07", 20], ["08", 500], ["09", 500 + window_ms]]
        power_part = {"samples": samples, "timestamps": marks, "extracted_power": None}
        trials.append({"file": "a.bin", "infer": {"iterations": n_each}, "power": power_part, "mode": "e"})
    return json.dumps(trials)
