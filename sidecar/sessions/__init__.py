"""Live sessions: creating, driving, watching, waking and ending them."""
