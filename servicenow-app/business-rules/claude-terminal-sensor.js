// Answers to our calls: each is applied once, and its row marked.
(function executeRule(current) {
    new ClaudeTerminalSensor().take(current);
})(current);
