// A pump that got lost is replaced, and calls nobody took are given up.
new ClaudeTerminalWatchdog().run();
