/**
 * The ways on which the application reaches sidecars: names, each with its bridge.
 *
 * @typedef {{name: string, bridge: string}} Host
 */
var ClaudeTerminalHosts = Class.create();

ClaudeTerminalHosts.prototype = {
    initialize: function () {
    },

    /**
     * @returns {Host[]} those that new sessions can go to, in the order of the property, then those that living
     *     sessions still use
     */
    all: function () {
        var bridge = new ClaudeTerminalSettings().bridge();
        var found = new ClaudeTerminalSettings().mids().map(function (name) {
            return {name: name, bridge: bridge};
        });
        return this._added(found, {});
    },

    /** @returns {Host[]} on which sessions live that somebody looks at */
    watched: function () {
        return this._added([], {since: new ClaudeTerminalClock().ago(
            new ClaudeTerminalSettings().viewerSeconds())});
    },

    /** @returns {Host[]} on which a user has, or had, sessions */
    of: function (user) {
        return this._added([], {user: user});
    },

    /** @returns {string} how a sidecar is reached; also one that new sessions do not go to any more */
    bridge: function (name) {
        var present = new ClaudeTerminalSettings().bridge();
        var status = new ClaudeTerminalTable('mid_status');
        var known = new ClaudeTerminalSettings().mids().indexOf(name) >= 0 ||
            status.find({mid_name: name, bridge: present}) ? null : status.find({mid_name: name});
        return known ? known.getValue('bridge') || 'mid' : present;
    },

    /** @returns {boolean} whether that is one of `all` */
    has: function (name, bridge) {
        return this.all().some(function (host) {
            return host.name === name && host.bridge === bridge;
        });
    },

    _added: function (found, wanted) {
        var session = this._sessions(wanted);
        var known = {};
        found.forEach(function (host) {
            known[host.bridge + ' ' + host.name] = true;
        });
        while (session.next()) {
            this._add(found, known, {name: session.getValue('mid_name') || '',
                bridge: session.getValue('bridge') || 'mid'});
        }
        return found;
    },

    _add: function (found, known, host) {
        if (host.name && !known[host.bridge + ' ' + host.name]) {
            known[host.bridge + ' ' + host.name] = true;
            found.push(host);
        }
    },

    _sessions: function (wanted) {
        var session = new GlideAggregate('x_claude_terminal_session');
        if (wanted.user) {
            session.addQuery('user', wanted.user);
        } else {
            session.addQuery('state', 'NOT IN', ClaudeTerminalSessions.ENDED.join(','));
        }
        if (wanted.since) {
            session.addQuery('viewed_at', '>=', wanted.since);
        }
        session.groupBy('mid_name');
        session.groupBy('bridge');
        session.addAggregate('COUNT');
        session.query();
        return session;
    },

    type: 'ClaudeTerminalHosts'
};
