(function () {
    // This runs before the page is painted, and the terminal is attached after it: lists only, nothing is changed.
    var MOST_LIVING = 500;
    var MOST_ENDED = 1000;
    var FIRST_ENDED = 20;
    var PAGE = 100; // the most that the API gives at once
    var api;

    /** @returns {{items: Object[], total: number}} newest first */
    function sessions(state, most) {
        var items = [];
        var found;
        do {
            found = api.list({state: state, limit: String(Math.min(PAGE, most - items.length)),
                offset: String(items.length)});
            items = items.concat(found.items);
        } while (found.items.length && items.length < Math.min(most, found.total));
        return {items: items, total: found.total};
    }

    /** @returns {number} how many sessions that have ended somebody wants to see */
    function wanted() {
        var asked = Math.floor(Number(input && input.ended));
        return asked > 0 ? Math.min(asked, MOST_ENDED) : FIRST_ENDED;
    }

    /** @returns {Object[]} each once: one that ends between two looks is found by both */
    function distinct(items) {
        var seen = {};
        return items.filter(function (session) {
            var again = seen[session.sessionId];
            seen[session.sessionId] = true;
            return !again;
        });
    }

    /** Those that live are all there, however many have ended since. */
    function list() {
        var living = sessions('living', MOST_LIVING);
        var ended = sessions('ended', wanted());
        data.sessions = distinct(living.items.concat(ended.items));
        data.more = ended.items.length < Math.min(ended.total, MOST_ENDED);
    }

    function mids() {
        return api.mids().items.map(function (mid) {
            return {name: mid.name, bridge: mid.bridge, state: mid.state, problem: mid.problem};
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
        list();
        data.mids = mids();
        data.keyed = keyed();
        data.credentials = data.keyed.length;
    }

    data.user = {id: gs.getUserID(), name: gs.getUserDisplayName()};
    data.isAdmin = gs.hasRole('x_claude_terminal.admin');
    data.links = {keys: '?id=claude_credential_setup', admin: '?id=claude_admin'};
    data.sessions = [];
    data.more = false;
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
