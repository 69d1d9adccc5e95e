"""What outlives the process: sessions and their output, in SQLite or PostgreSQL."""
