"""Where schemas live: the databases."""
