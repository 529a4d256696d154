"""Where files live: the disk, and git."""
