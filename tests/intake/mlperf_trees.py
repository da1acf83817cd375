"""Results trees of MLPerf Inference with invented figures, laid out as MLCommons does."""

import json

from tests.traces.benchmark_logs import loadgen, spl

BENCHMARK = "mobilenet-v2-0.5-96-quantized"
SYSTEM = "rpi4-tflite-v9.9-ruy"
DESCRIPTION = {
    "division": "open",
    "submitter": "Acme Labs",
    "system_name": "Raspberry Pi 4 Model B Rev 1.4 (rpi4)",
    "host_processor_model_name": "Arm Cortex-A72 MP4",
    "host_processor_frequency": "1500 MHz",
    "accelerator_model_name": "-",
    "cooling": "fan on",
    "framework": "TFLite v9.9 (ruy)",
}
RESULT = {
    "effective_scenario": "SingleStream",
    "result_validity": "VALID",
    "result_mean_latency_ns": 499_000_000,
    "result_90.00_percentile_latency_ns": 510_000_000,
}


def run_log(**changed):
    """Log of LoadGen of a run of 40 queries in 20 s; None leaves a value out."""
    return loadgen(**(RESULT | changed))


def results_tree(
    root,
    *,
    system=SYSTEM,
    round_name="v2.1",
    benchmark=BENCHMARK,
    description=DESCRIPTION,
    files=None,
    submitter="Acme",
):
    """Tree of one benchmark of a system; `files` replaces files below its scenario by path, and None leaves one out."""
    folder = root / f"inference_results_{round_name}" / "open" / submitter
    scenario = folder / "results" / system / benchmark / "singlestream"
    own = {
        "performance/run_1/mlperf_log_detail.txt": run_log(),
        "performance/run_1/spl.txt": spl(),
        "performance/ranging/mlperf_log_detail.txt": run_log(result_validity=None, result_query_count=50,
                                                             result_mean_latency_ns=400_000_000),
        "performance/ranging/spl.txt": spl(busy_w=9.0),
        "performance/power/ptd_logs.txt": "Selected power meter 'Acme WT1' from wt.cpp\n",
        "accuracy/accuracy.txt": "accuracy=57.875%, good=463, total=800\nhash=00\n",
    } | (files or {})  # fmt: skip
    for name, text in own.items():
        if text is not None:
            path = scenario / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    scenario.mkdir(parents=True, exist_ok=True)
    if description is not None:
        (folder / "systems").mkdir(exist_ok=True)
        (folder / "systems" / f"{system}.json").write_text(json.dumps(description))
    return scenario.parent.parent
