"""How one schema becomes another."""
