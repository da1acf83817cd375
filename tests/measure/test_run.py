"""A run on a device whose energy is known: the energies return, faults have names, and an end in between loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deepen_measure.cli import main
from deepen_measure.errors import MeasureError
from deepen_measure.recorder import observe
from deepen_measure.meters import the_meter

from harness import api
from tests.measure.world import World, machine

PROGRAM = [sys.executable, "-u", "-c", """
import sys, time
print("deepen-measure ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line.split()[1])):
        end = time.thread_time() + 0.002
        while time.thread_time() < end:
            pass
    print("deepen-measure done", flush=True)
"""]  # fmt: skip
"""A program that computes for 2 ms in each inference."""
