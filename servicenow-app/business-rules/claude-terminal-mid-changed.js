// A MID Server went down or came back: its sessions say so.
new ClaudeTerminalReach().review();
