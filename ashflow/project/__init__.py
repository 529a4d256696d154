"""One checkout: gather facts, ask `plan`, hand to `run`."""
