"""The types of the arrays of this package; docstrings state their shapes."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]
