"""Records the learning curves of real trainings, for the engine `virtual` to replay."""
