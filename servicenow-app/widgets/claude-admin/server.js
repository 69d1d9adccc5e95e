(function () {
    var asked = input || {};
    var overview;
    // Whoever is no administrator gets nothing but this; ClaudeTerminalOverview would refuse them as well.
    data.allowed = gs.hasRole('x_claude_terminal.admin');
    if (!data.allowed) {
        return;
    }
    overview = new ClaudeTerminalOverview();
    if (asked.action === 'audit') {
        data.audit = overview.audit(asked);
    } else {
        data.overview = overview.all(asked);
    }
})();
