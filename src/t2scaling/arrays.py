"""Names for the arrays that go through the package; their shapes stand in the docstrings, by letters."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Positions = NDArray[np.intp]
