"""Roofline of one kernel type: energy as a constant and what compute and memory take, none of them negative."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import least_squares, nnls

Reals = npt.NDArray[np.float64]

_LEAST_SHARE = 1e-6
"""Share of the energy of the typical row that each term starts from at least; the logarithm of 0 has no slope."""


def roofline_terms(rows: pd.DataFrame) -> Reals:
    """1, FLOPs and bytes moved of each row, shape `(n, 3)`."""
    return np.column_stack([np.ones(len(rows)), rows[["flops", "bytes_moved"]].to_numpy(dtype=np.float64)])


def fit_roofline(terms: Reals, energy_mj: Reals) -> Reals:
    """Non-negative coefficients of the terms that make the squared error of log energy least.

    Args:
        terms: terms of each row, shape `(n, n_terms)`, not negative.
        energy_mj: energy of each row, shape `(n,)`.

    Returns:
        Energy in mJ for one unit of each term, shape `(n_terms,)`; 0 for a term that is always 0.

    Source:
        Energy roofline: Choi et al., A Roofline Model of Energy (IPDPS 2013), equation 1, with the constant energy as
        a term of its own. Fitted by the trust-region method of SciPy on the logarithm of the coefficients, which keeps
        them positive, from non-negative least squares of the relative error.
    """
    relative = terms / energy_mj[:, None]
    used = relative.max(axis=0) > 0
    size = relative[:, used].max(axis=0)
    scaled = relative[:, used] / size
    start = np.maximum(nnls(scaled, np.ones(len(energy_mj)))[0], _LEAST_SHARE)
    # Every row asks that the logarithm of predicted over actual energy be 0.
    found = least_squares(
        lambda logs: np.log(scaled @ np.exp(logs)),
        np.log(start),
        jac=lambda logs: scaled * np.exp(logs) / (scaled @ np.exp(logs))[:, None],
        bounds=(np.log(_LEAST_SHARE) - 10, np.inf),
    )
    coefficients = np.zeros(terms.shape[1])
    coefficients[used] = np.exp(found.x) / size
    return coefficients
