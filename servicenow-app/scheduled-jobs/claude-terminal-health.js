// Each minute, so that a dead sidecar shows on the MID Server dashboard.
(function () {
    new ClaudeTerminalSettings().mids().forEach(function (name) {
        new ClaudeTerminalMid(name).check();
    });
})();
