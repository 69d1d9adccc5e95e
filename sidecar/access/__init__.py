"""Who may call, how often, and what a repeated call gets."""
