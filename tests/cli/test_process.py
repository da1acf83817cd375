"""What a command sets for its process: no threads that it has no use for, unless its user asks for them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.graphs.models import small_onnx

ROOT = Path(__file__).parents[2]
THREADS = Path("/proc/self/task")
COUNT = f"""
import gc, os, sys
from harness.cli import main
sys.argv = ["deepen", "kernels", sys.argv[1], "--input", "x=1x4x8x6"]
threshold = gc.get_threshold()[0]
try:
    main()
finally:
    print(len(os.listdir({str(THREADS)!r})), os.environ["OPENBLAS_NUM_THREADS"], threshold < gc.get_threshold()[0])
"""


@pytest.mark.skipif(not THREADS.is_dir(), reason="threads are counted where the system lists those of a process")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has one thread anyway")
@pytest.mark.parametrize("asked", [None, "2"])
def test_a_kernel_list_starts_no_threads_unless_its_user_sets_them(asked, tmp_path):
    file = tmp_path / "small.onnx"
    file.write_bytes(small_onnx().SerializeToString())
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {} if asked is None else {"OPENBLAS_NUM_THREADS": asked}
    command = [sys.executable, "-c", COUNT, str(file)]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    n_threads, stated, is_collected_less_often = ran.stdout.splitlines()[-1].split()
    assert (n_threads, stated) == (asked or "1", asked or "1")
    assert is_collected_less_often == "True"
