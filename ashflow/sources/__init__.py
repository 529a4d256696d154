"""Where schemas are declared."""
