"""Kernels whose energy follows from known coefficients, to see whether predictors find them."""

import numpy as np
import pandas as pd

from harness.predictor.conformance import sample_kernels
from harness.predictor.features import FEATURES

CONSTANT_MJ, FLOP_MJ, BYTE_MJ = 1e-3, 2e-9, 5e-8


def roofline_kernels(types, seed=0, noise=0.0, correction=None):
    """Kernels with energies by the coefficients above.

    Args:
        types: kernel type of every row.
        seed: seed of extents and noise.
        noise: deviation of log energy.
        correction: function of the kernels that gives a residual of log energy.
    """
    kernels = sample_kernels(types, seed)
    energy = CONSTANT_MJ + FLOP_MJ * kernels["flops"] + BYTE_MJ * kernels["bytes_moved"]
    residual = np.random.default_rng(seed + 1000).normal(0, noise, len(kernels))
    if correction is not None:
        residual = residual + correction(kernels)
    return kernels.assign(energy_mj=energy * np.exp(residual))


def unlabelled(kernels):
    return kernels[list(FEATURES)]


def energies_of(kernels):
    return kernels["energy_mj"].to_numpy()


def relative_errors(model, kernels):
    return np.abs(model.predict(unlabelled(kernels)) / energies_of(kernels) - 1)


def shuffled(kernels, seed=0):
    """The same energies, given to other kernels: nothing is left to learn."""
    drawn = np.random.default_rng(seed).permutation(len(kernels))
    return kernels.assign(energy_mj=energies_of(kernels)[drawn])


def with_energies(kernels, energies):
    return pd.DataFrame(kernels).assign(energy_mj=energies)
