(function () {
    var app;
    // Users without the role get nothing but this.
    data.allowed = gs.hasRole('x_claude_terminal.user');
    if (!data.allowed) {
        return;
    }
    app = new ClaudeTerminalAPI();
    data.sealingKeys = new ClaudeTerminalSettings().sealingKeys();
    data.user = {id: gs.getUserID(), name: gs.getUserDisplayName()};
    // What is sealed carries a time, and the clock of a computer may be wrong by hours.
    data.now = Number(new GlideDateTime().getNumericValue());
    data.mids = app.mids().items.map(function (mid) {
        return {name: mid.name, state: mid.state, problem: mid.problem, jwk: mid.jwk, kid: mid.kid,
            pinned: data.sealingKeys.indexOf(mid.kid) >= 0};
    });
    data.credentials = app.credentials().items;
})();
