"""Which algorithm, on how many GPUs, for how long: an answer from what was recorded."""
