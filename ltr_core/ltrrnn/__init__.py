"""The low-tensor-rank RNN (Pellegrino et al. 2023): model, fit, and what is read from it."""
