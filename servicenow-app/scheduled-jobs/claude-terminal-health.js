// Each minute, so that a dead sidecar shows on the MID Server dashboard.
(function () {
    new ClaudeTerminalHosts().all().forEach(function (host) {
        new ClaudeTerminalMid(host.name, host.bridge).check();
    });
})();
