"""What has been written down: migrations, snapshots, the ledger."""
