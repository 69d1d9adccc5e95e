// What the event tells differs between releases, so all our MID Servers are looked at.
new ClaudeTerminalReach().review();
