window.claudeTerminal = window.claudeTerminal || {};
