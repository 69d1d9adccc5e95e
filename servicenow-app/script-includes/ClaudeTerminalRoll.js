/** A user's sessions on one MID Server or poller, compared with what the sidecar has. */
var ClaudeTerminalRoll = Class.create();

ClaudeTerminalRoll.prototype = {
    /**
     * @param {string} user
     * @param {string} mid
     * @param {string} bridge
     */
    initialize: function (user, mid, bridge) {
        this._about = {user: user, mid_name: mid, bridge: bridge};
        this._sessions = new ClaudeTerminalSessions();
    },

    /**
     * @param {{items: Object[], total: number}} page the sidecar's list, from its beginning
     * @param {string} askedAt what was made later may be missing in it
     */
    reconcile: function (page, askedAt) {
        var told = this._byId(page.items || []);
        var session = new ClaudeTerminalTable('session').query(this._about);
        session.query();
        while (session.next()) {
            if (told[session.getValue('session_id')]) {
                this._sessions.adopt(session, told[session.getValue('session_id')]);
            } else if (page.total <= page.items.length && session.getValue('sys_created_on') < askedAt) {
                this._missing(session);
            }
        }
    },

    /** A create that is under way may arrive after the list was made. */
    _missing: function (session) {
        if (!new ClaudeTerminalRequests().open({op: 'create', session: session.getUniqueValue()}, 120)) {
            this._sessions.forget(session);
        }
    },

    _byId: function (items) {
        var found = {};
        items.forEach(function (item) {
            found[item.sessionId] = item;
        });
        return found;
    },

    type: 'ClaudeTerminalRoll'
};
