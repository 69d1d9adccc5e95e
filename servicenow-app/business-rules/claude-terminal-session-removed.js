// Output and requests go with their session, which ends at the sidecar too.
(function executeRule(current) {
    new ClaudeTerminalSessions().removed(current);
})(current);
