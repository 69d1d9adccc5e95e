// Hourly: old sessions, requests, audit entries and output.
new ClaudeTerminalExpiry().run();
