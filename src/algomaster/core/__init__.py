"""Words every layer shares: errors, array aliases, the door for arrays, compiled kernels, catalogues."""
