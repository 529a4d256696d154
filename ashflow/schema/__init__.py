"""What a database looks like, as values."""
