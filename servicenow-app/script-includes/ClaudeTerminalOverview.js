/**
 * What an administrator sees of the application: MID Servers, sessions, the queue's last hour, errors, audit.
 * It only reads, and nothing that is typed, printed or secret is in what it returns. Each part is bounded: this
 * is asked for again and again while a page is open.
 */
var ClaudeTerminalOverview = Class.create();

ClaudeTerminalOverview.prototype = {
    /** @throws {ClaudeTerminalProblem} 403 unless the signed-in user is an administrator of the application */
    initialize: function () {
        new ClaudeTerminalAccess().admin();
        this._clock = new ClaudeTerminalClock();
    },

    /**
     * @param {Object} input offset, event and text of the audit's page
     * @returns {Object} all of it
     */
    all: function (input) {
        var traffic = new ClaudeTerminalTraffic();
        var sessions = this._sessions();
        return {at: this._clock.told(this._clock.now()), mids: this._mids(sessions),
            sessions: this._byState(sessions), queue: traffic.queue(), latency: traffic.latency(),
            errors: new ClaudeTerminalJournal().errors(), audit: this.audit(input)};
    },

    /** @param {Object} input offset, event, text @returns {Object} one page of the audit */
    audit: function (input) {
        return new ClaudeTerminalJournal().audit(input || {});
    },

    /** @returns {Object[]} the MID Servers of the application, in the order of its property */
    _mids: function (sessions) {
        var waiting = this._waiting();
        return new ClaudeTerminalHosts().all().map(function (host) {
            var view = new ClaudeTerminalMid(host.name, host.bridge).view();
            var row = new ClaudeTerminalTable('mid_status').find({mid_name: host.name,
                bridge: host.bridge});
            return {name: host.name, bridge: host.bridge, seenAt: view.seenAt,
                pollerVersion: view.pollerVersion, state: view.state, problem: view.problem,
                version: view.version, latencyMs: view.latencyMs, checkedAt: view.checkedAt, kid: view.kid,
                lastOk: row ? this._clock.told(row.getValue('last_ok')) : null,
                sessions: this._byState(sessions.filter(function (group) {
                    return group.mid === host.name && group.bridge === host.bridge;
                })), waiting: waiting[host.bridge + ' ' + host.name] || 0};
        }, this);
    },

    /** @returns {{mid: string, bridge: string, state: string, count: number}[]} */
    _sessions: function () {
        var total = new GlideAggregate('x_claude_terminal_session');
        var found = [];
        total.addAggregate('COUNT');
        total.groupBy('mid_name');
        total.groupBy('bridge');
        total.groupBy('state');
        total.query();
        while (total.next()) {
            found.push({mid: total.getValue('mid_name') || '', bridge: total.getValue('bridge') || 'mid',
                state: total.getValue('state') || 'unknown', count: Number(total.getAggregate('COUNT'))});
        }
        return found;
    },

    /** @returns {{state: string, count: number}[]} most first */
    _byState: function (groups) {
        var counts = {};
        groups.forEach(function (group) {
            counts[group.state] = (counts[group.state] || 0) + group.count;
        });
        return Object.keys(counts).map(function (state) {
            return {state: state, count: counts[state]};
        }).sort(function (a, b) {
            return b.count - a.count || (a.state < b.state ? -1 : 1);
        });
    },

    /** @returns {Object} of bridges and names: how many calls have no answer yet, without the call for output */
    _waiting: function () {
        var total = new GlideAggregate('x_claude_terminal_request');
        var found = {};
        total.addQuery('state', 'queued');
        total.addQuery('op', '!=', 'outputs');
        total.addAggregate('COUNT');
        total.groupBy('mid_name');
        total.groupBy('bridge');
        total.query();
        while (total.next()) {
            found[(total.getValue('bridge') || 'mid') + ' ' + total.getValue('mid_name')] =
                Number(total.getAggregate('COUNT'));
        }
        return found;
    },

    type: 'ClaudeTerminalOverview'
};
