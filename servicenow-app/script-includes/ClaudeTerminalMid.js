/** One sidecar as it is reached by a bridge: how healthy it is, and the key that API keys are sealed to. */
var ClaudeTerminalMid = Class.create();

ClaudeTerminalMid.prototype = {
    KEY_SECONDS: 3600,
    PENDING_SECONDS: 300, // a call that nobody took for so long is given up
    PUBLIC: ['kty', 'crv', 'x', 'y', 'use', 'alg', 'kid'],
    SILENT_SECONDS: 55, // nearly the minute between two checks

    /**
     * @param {string} name of the MID Server or poller
     * @param {string} bridge
     */
    initialize: function (name, bridge) {
        this._name = name;
        this._bridge = bridge;
        this._table = new ClaudeTerminalTable('mid_status');
        this._clock = new ClaudeTerminalClock();
        this._reach = new ClaudeTerminalReach();
        this._requests = new ClaudeTerminalRequests();
    },

    /** @returns {GlideRecord} its row, made if there is none */
    row: function () {
        var found = this._found();
        var agent;
        if (found) {
            return found;
        }
        agent = this._bridge === 'poller' ? null : this._reach.agent(this._name);
        // When another thread is faster the index refuses this one, and the row is there all the same.
        this._table.insert({mid_name: this._name, mid: agent ? agent.getUniqueValue() : '', state: 'unknown',
            bridge: this._bridge});
        return this._found();
    },

    /** Ask for its health, and for its key when that is not known or old. To be called once a minute. */
    check: function () {
        var fault = this._reach.fault(this._name, this._bridge);
        var row = this.row();
        if (fault) {
            this.sick(fault.detail);
            return;
        }
        if (this._waiting(this.PENDING_SECONDS)) {
            this._silent();
            return;
        }
        this.ask('health');
        if (!row.getValue('jwk') || this._clock.since(row.getValue('key_at')) > this.KEY_SECONDS) {
            this.ask('sealing_key');
        }
    },

    /** @returns {string} the request's sys_id */
    ask: function (op, user) {
        return this._requests.queue({op: op, mid: this._name, bridge: this._bridge, user: user || ''});
    },

    /**
     * @param {Object} health the sidecar's
     * @param {string} ecc sys_id of the row that asked
     */
    healthy: function (health, ecc) {
        var now = this._clock.now();
        if (['ok', 'degraded', 'draining'].indexOf(health.status) < 0) {
            throw new Error('the sidecar answered no health');
        }
        if (health.status === 'draining') {
            this.sick('The sidecar is being drained: it takes no new sessions.', 'draining');
            return;
        }
        this._table.change(this.row(), {state: 'up', version: health.version, last_ok: now, checked_at: now,
            latency_ms: this._latency(ecc), problem: ''});
        this._reach.found(this._name, this._bridge);
        new ClaudeTerminalPump(this._name, this._bridge).resume();
        new ClaudeTerminalIssue(this._name, this._bridge).resolve();
        new ClaudeTerminalCredentials().resend(this._name);
    },

    /** @param {string} why in plain words */
    sick: function (why, draining) {
        this._table.change(this.row(), {state: 'down', problem: why, checked_at: this._clock.now()});
        if (!draining) {
            this._reach.lost(this._name, this._bridge, why);
        }
        new ClaudeTerminalIssue(this._name, this._bridge).raise(why);
    },

    /** @param {Object} jwk the sidecar's public key; only its public parts are kept */
    key: function (jwk) {
        var kept = this.PUBLIC.reduce(function (parts, name) {
            if (typeof jwk[name] !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(jwk[name])) {
                throw new Error('the sidecar answered no public key');
            }
            parts[name] = jwk[name];
            return parts;
        }, {});
        this._table.change(this.row(), {kid: kept.kid, jwk: JSON.stringify(kept), key_at: this._clock.now()});
    },

    /** @returns {Object} as users see it */
    view: function () {
        var row = this._found();
        var fault = this._reach.fault(this._name, this._bridge);
        var view = row ? this._told(row) : {state: 'unknown', problem: null, kid: null, jwk: null,
            version: null, latencyMs: null, checkedAt: null, seenAt: null, pollerVersion: null};
        view.name = this._name;
        view.bridge = this._bridge;
        if (fault) {
            view.state = 'down';
            view.problem = fault.detail;
        }
        return view;
    },

    _told: function (row) {
        var latency = row.getValue('latency_ms');
        return {state: row.getValue('state'), problem: row.getValue('problem') || null,
            kid: row.getValue('kid') || null, jwk: JSON.parse(row.getValue('jwk') || 'null'),
            version: row.getValue('version') || null, latencyMs: latency ? Number(latency) : null,
            checkedAt: this._clock.told(row.getValue('checked_at')),
            seenAt: this._clock.told(row.getValue('seen_at')),
            pollerVersion: row.getValue('poller_version') || null};
    },

    _found: function () {
        return this._table.find({mid_name: this._name, bridge: this._bridge});
    },

    _waiting: function (seconds) {
        return this._requests.open({op: 'health', mid_name: this._name, bridge: this._bridge}, seconds);
    },

    /** @returns {?number} null when the platform tells only the second in which the row was written */
    _latency: function (ecc) {
        var row = new GlideRecord('ecc_queue');
        return row.get(ecc) ? new ClaudeTerminalTraffic().age(row) : null;
    },

    /** The last question has no answer yet: it is not asked again, or rows would pile up. */
    _silent: function () {
        if (!this._waiting(this.SILENT_SECONDS)) {
            this.sick(this._reach.called(this._name, this._bridge) + ' does not answer.');
        }
    },

    type: 'ClaudeTerminalMid'
};
