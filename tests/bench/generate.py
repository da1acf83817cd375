"""Generated kernel rows for benchmarks; plausible and clean, not measured."""

import numpy as np
import pyarrow as pa
import pyarrow.csv


def kernel_rows(n_rows: int, seed: int = 0) -> pa.Table:
    """Rows of `kernels.csv` for convolutions and elementwise kernels, each configuration under its own source id."""
    rng = np.random.default_rng(seed)
    is_conv = rng.random(n_rows) < 0.6
    height, width = rng.integers(7, 320, n_rows), rng.integers(7, 320, n_rows)
    cin, cout = rng.integers(8, 1024, n_rows), rng.integers(8, 1024, n_rows)
    window, stride = rng.choice([1, 3, 5, 7], n_rows), rng.choice([1, 2], n_rows)
    positions = -(-height // stride) * -(-width // stride)
    flops = np.where(is_conv, 2 * positions * window**2 * cin * cout, 3 * height * width * cin)
    latency = np.round(flops / rng.uniform(2e6, 2e7, n_rows) + 0.05, 4)
    power = np.round(rng.uniform(1500, 4500, n_rows), 1)
    energy = np.round(power * latency / 1000 * rng.normal(1, 0.001, n_rows), 5)

    def only_conv(values: np.ndarray) -> pa.Array:
        return pa.array(values, mask=~is_conv)

    return pa.table(
        {
            "kernel": np.where(is_conv, "conv-bn-relu", "bnrelu"),
            "input_h": height,
            "input_w": width,
            "cin": cin,
            "cout": only_conv(cout),
            "kernel_h": only_conv(window),
            "kernel_w": only_conv(window),
            "stride_h": only_conv(stride),
            "stride_w": only_conv(stride),
            "dtype": rng.choice(["fp32", "int8"], n_rows),
            "delegate": rng.choice(["CPU1", "CPU4", "GPU"], n_rows),
            "energy_kind": pa.repeat("dynamic-only", n_rows),
            "energy_mj": energy,
            "latency_ms": latency,
            "power_mw": power,
            "n_runs": rng.integers(10, 100, n_rows),
            "source_id": [f"K{row:06d}" for row in range(n_rows)],
        }
    )


def csv_bytes(table: pa.Table) -> bytes:
    """Table as CSV without quotes."""
    sink = pa.BufferOutputStream()
    sink.write(",".join(table.column_names).encode() + b"\n")
    pa.csv.write_csv(table, sink, pa.csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue().to_pybytes()
