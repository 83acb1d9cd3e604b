"""What an algorithm really does, measured on cheap deterministic objectives: `bench audit`."""
