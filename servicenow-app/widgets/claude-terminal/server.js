(function () {
    // This runs before the page is painted, and the terminal is attached after it: lists only, nothing is changed.
    var MOST_SESSIONS = '50';
    var api;

    function mids() {
        return api.mids().items.map(function (mid) {
            return {name: mid.name, state: mid.state, problem: mid.problem};
        });
    }

    /** MID Servers for which the user has a key in use. */
    function keyed() {
        return api.credentials().items.filter(function (credential) {
            return credential.state === 'stored';
        }).map(function (credential) {
            return credential.mid;
        });
    }

    function fill() {
        api = new ClaudeTerminalAPI();
        data.sessions = api.list({limit: MOST_SESSIONS}).items;
        data.mids = mids();
        data.keyed = keyed();
        data.credentials = data.keyed.length;
    }

    data.user = {id: gs.getUserID(), name: gs.getUserDisplayName()};
    data.isAdmin = gs.hasRole('x_claude_terminal.admin');
    data.links = {keys: '?id=claude_credential_setup', admin: '?id=claude_admin'};
    data.sessions = [];
    data.mids = [];
    data.keyed = [];
    data.credentials = 0;
    data.problem = null;
    try {
        fill();
    } catch (e) {
        if (e.type !== 'ClaudeTerminalProblem') {
            throw e;
        }
        data.problem = e.view();
    }
})();
