/**
 * On which MID Server, or poller, a new session goes: a healthy one of the application's, for which the user has
 * stored a key, with the fewest sessions. It stays there, because a terminal lives on one host.
 */
var ClaudeTerminalPlacement = Class.create();

ClaudeTerminalPlacement.prototype = {
    /** @param {string} user sys_id */
    initialize: function (user) {
        this._user = user;
        this._reach = new ClaudeTerminalReach();
        this._bridge = new ClaudeTerminalSettings().bridge();
    },

    /**
     * @param {?string} wanted a name, or null for any
     * @returns {{mid: string, agent: string, bridge: string, credential: string}} agent is a sys_id
     * @throws {ClaudeTerminalProblem} 503 none healthy, 409 in a cluster, 422 no key
     */
    choose: function (wanted) {
        var names = this._configured(wanted).filter(this._single, this);
        var healthy = this._some(names, this._healthy, 409, 'MID Server in a cluster', 'A MID Server of a ' +
            'cluster cannot be used: the platform would move calls to another host than the terminal\'s.');
        var keyed = this._some(healthy, this._credential, 503, 'No healthy ' + this._reach.kind(this._bridge),
            this._sickness(names));
        var chosen;
        if (!keyed.length) {
            throw this._keyless();
        }
        chosen = this._least(keyed);
        return {mid: chosen, agent: this._agent(chosen), bridge: this._bridge,
            credential: this._credential(chosen)};
    },

    /**
     * @param {GlideRecord} session one that has its place, but is not known to its sidecar yet
     * @returns {{mid: string, agent: string, bridge: string, credential: string}}
     * @throws {ClaudeTerminalProblem} 503 its MID Server is down, 422 its key is gone
     */
    known: function (session) {
        var mid = session.getValue('mid_name');
        var credential = this._credential(mid);
        this._reach.demand(mid, session.getValue('bridge'));
        if (!credential) {
            throw this._keyless();
        }
        return {mid: mid, agent: session.getValue('mid'), bridge: session.getValue('bridge'),
            credential: credential};
    },

    _keyless: function () {
        return new ClaudeTerminalProblem(422, 'No API key',
            'Store an Anthropic API key for a healthy ' + this._reach.kind(this._bridge) + ' first.');
    },

    _configured: function (wanted) {
        var names = new ClaudeTerminalSettings().mids();
        if (wanted && names.indexOf(wanted) < 0) {
            throw new ClaudeTerminalProblem(422, 'Unknown ' + this._reach.kind(this._bridge),
                'This ' + this._reach.kind(this._bridge) + ' is not set up for sessions.');
        }
        if (!names.length) {
            throw new ClaudeTerminalProblem(503, 'Not set up',
                'No ' + this._reach.kind(this._bridge) + ' is named in x_claude_terminal.mids.');
        }
        return wanted ? [wanted] : names;
    },

    /**
     * @returns {string[]} those of `names` that pass; when there was nothing to test, the problem is thrown
     */
    _some: function (names, passes, status, title, detail) {
        if (!names.length) {
            throw new ClaudeTerminalProblem(status, title, detail);
        }
        return names.filter(passes, this);
    },

    _single: function (name) {
        return this._bridge === 'poller' || !this._reach.clustered(name);
    },

    _healthy: function (name) {
        return new ClaudeTerminalMid(name, this._bridge).view().state === 'up';
    },

    _sickness: function (names) {
        var problems = names.map(function (name) {
            return new ClaudeTerminalMid(name, this._bridge).view().problem;
        }, this).filter(function (problem) {
            return problem;
        });
        return problems.join(' ') || 'The sidecars were not checked yet. Try again in a minute.';
    },

    /** @returns {string} the id of the user's newest key there, '' without one */
    _credential: function (name) {
        var credential = new ClaudeTerminalTable('credential').query({user: this._user, mid_name: name,
            state: 'stored'});
        credential.orderByDesc('sys_created_on');
        credential.setLimit(1);
        credential.query();
        return credential.next() ? credential.getValue('credential_id') : '';
    },

    _least: function (names) {
        var counts = {};
        names.forEach(function (name) {
            counts[name] = this._active(name);
        }, this);
        return names.slice().sort(function (one, other) {
            return counts[one] - counts[other] || names.indexOf(one) - names.indexOf(other);
        })[0];
    },

    _active: function (name) {
        var count = new GlideAggregate('x_claude_terminal_session');
        count.addQuery('mid_name', name);
        count.addQuery('state', 'IN', 'starting,running');
        count.addAggregate('COUNT');
        count.query();
        return count.next() ? Number(count.getAggregate('COUNT')) : 0;
    },

    /** A poller's name may be a MID Server's too; its sessions are not that MID Server's. */
    _agent: function (name) {
        var agent = this._bridge === 'poller' ? null : this._reach.agent(name);
        return agent ? agent.getUniqueValue() : '';
    },

    type: 'ClaudeTerminalPlacement'
};
