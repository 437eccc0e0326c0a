"""make-npy.py FILE.npy EXPRESSION: saves what NumPy makes of the expression."""
import sys

import numpy as np

np.save(sys.argv[1], eval(sys.argv[2]))
