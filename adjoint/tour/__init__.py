"""The tour: automatic differentiation shown live, from one layer to a trained classifier."""
