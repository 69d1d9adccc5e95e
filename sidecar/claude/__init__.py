"""What is peculiar to Claude Code: its command line, home, screens and keys. Text in, values out."""
