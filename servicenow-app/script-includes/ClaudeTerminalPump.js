/**
 * Brings new output of all watched sessions of one MID Server or poller: one long call at a time, whose answer
 * queues the next, while somebody watches. Which pump is the present one stands in its row of `mid_status`; that
 * there are never two of the same number is the unique index on a request's slot.
 */
var ClaudeTerminalPump = Class.create();

ClaudeTerminalPump.prototype = {
    LOST_SECONDS: 60,
    BACK_OFF_SECONDS: 10,
    MOST_BYTES: 65536,
    MOST_SESSIONS: 100, // their ids fit into the column `watched`
    /** The answer has room for all of `MOST_BYTES` with the news of so many sessions around it, not of more. */
    FEW_SESSIONS: 20,
    FEWER_BYTES: 49152,
    LONGEST_NAME: 128,
    SESSION: /^[0-9a-f-]{36}$/,

    /**
     * @param {string} mid name of the MID Server or poller
     * @param {string} bridge
     */
    initialize: function (mid, bridge) {
        this._mid = mid;
        this._bridge = bridge;
        this._requests = new ClaudeTerminalRequests();
        this._sessions = new ClaudeTerminalSessions();
        this._table = new ClaudeTerminalTable('mid_status');
    },

    /** @returns {string} what the sidecar knows the series of calls by */
    name: function () {
        var row = this._row();
        return this._name(row ? Number(row.getValue('pump_epoch')) || 0 : 0);
    },

    /** @returns {boolean} whether somebody looks at this session */
    watches: function (sysId) {
        var session = this._sessions.fresh(sysId);
        return !!session && (session.getValue('viewed_at') || '') >= this._viewedSince();
    },

    /**
     * Queue a pump if somebody watches and none is under way for just these sessions. Writes nothing
     * otherwise.
     */
    ensure: function () {
        var watched = this._watched();
        var row = watched.ids.length ? new ClaudeTerminalMid(this._mid, this._bridge).row() : null;
        var lost;
        if (!row) {
            return;
        }
        lost = row.getValue('pump_request') && new ClaudeTerminalClock().since(row.getValue('pump_at')) >
            this.LOST_SECONDS;
        if (lost || this._changed(row, watched)) {
            this._issue(row, watched, lost);
        }
    },

    /** The sidecar answers again: that the last pump failed a moment ago is no reason to wait any more. */
    resume: function () {
        var row = this._row();
        if (row && !row.getValue('pump_request')) {
            this._table.change(row, {pump_at: ''});
        }
        this.ensure();
    },

    /**
     * Apply an answer, and queue the next pump if this was the present one.
     *
     * @param {GlideRecord} request
     * @param {Object} news by session id
     */
    answered: function (request, news) {
        var row;
        // First what somebody waits for.
        Object.keys(news).forEach(function (id) {
            this._news(id, news[id]);
        }, this);
        new ClaudeTerminalReach().found(this._mid, this._bridge);
        // Read again: a viewer may have queued a newer one meanwhile.
        row = this._row();
        if (row && row.getValue('pump_request') === request.getUniqueValue()) {
            this._next(row);
        }
    },

    /** The sidecar was not reached: viewers and the watchdog try again, a little later. */
    failed: function (request, answer) {
        var row = this._row();
        if (answer.status === 502 || answer.status === 504) {
            new ClaudeTerminalReach().lost(this._mid, this._bridge, answer.problem.detail);
        }
        if (row && row.getValue('pump_request') === request.getUniqueValue()) {
            this._table.change(row, {pump_request: '', pump_at: new ClaudeTerminalClock().now()});
        }
    },

    /** After an ended session's full answer fetch the rest: no pump watches it any more. */
    drain: function (sysId, piece) {
        var full = ClaudeTerminalSessions.ENDED.indexOf(piece.state) >= 0 &&
            new ClaudeTerminalBase64().length(piece.data || '') >= this.FEWER_BYTES / this.MOST_SESSIONS;
        var session = full ? this._sessions.fresh(sysId) : null;
        if (session && session.getValue('output_offset') === String(piece.nextCursor)) {
            this._requests.queue({op: 'output', mid: this._mid, bridge: this._bridge,
                user: session.getValue('user'), session: session,
                body: {cursor: piece.nextCursor, maxBytes: this.MOST_BYTES, encoding: 'base64'}});
        }
    },

    _news: function (id, told) {
        var session = this.SESSION.test(id) && told ?
            new ClaudeTerminalTable('session').find({session_id: id, mid_name: this._mid,
                bridge: this._bridge}) : null;
        if (session) {
            this._sessions.news(session, told.state === null ? null : told, told.state,
                told.activity);
            this.drain(session.getUniqueValue(), told);
        }
    },

    _next: function (row) {
        var watched = this._watched();
        if (watched.ids.length) {
            this._issue(row, watched, false);
        } else {
            this._table.change(row, {pump_request: '', pump_at: '', watched: ''});
        }
    },

    _changed: function (row, watched) {
        if (row.getValue('pump_request')) {
            return (row.getValue('watched') || '') !== watched.ids.join(',');
        }
        // With a time but no request the last one failed.
        return new ClaudeTerminalClock().since(row.getValue('pump_at')) > this.BACK_OFF_SECONDS;
    },

    /** @param {boolean} lost a new name, because the sidecar tells a state once for each name */
    _issue: function (row, watched, lost) {
        var number = (Number(row.getValue('pump_number')) || 0) + 1;
        var epoch = (Number(row.getValue('pump_epoch')) || 0) + (lost ? 1 : 0);
        var settings = new ClaudeTerminalSettings();
        var made;
        if (new ClaudeTerminalReach().fault(this._mid, this._bridge)) {
            return;
        }
        made = this._requests.queue({op: 'outputs', mid: this._mid, bridge: this._bridge,
            slot: this._way() + ':' + number, body: {pump: this._name(epoch),
                wait: settings.pumpWaitSeconds(), maxBytes: this._bytes(watched), cursors: watched.cursors},
            noted: function (request) {
                this._table.change(row, {pump_number: number, pump_epoch: epoch, pump_request: request,
                    pump_at: new ClaudeTerminalClock().now(), watched: watched.ids.join(',')});
            }.bind(this)});
        if (!made) {
            this._pass(row, number);
        }
    },

    _bytes: function (watched) {
        return watched.ids.length > this.FEW_SESSIONS ? this.FEWER_BYTES : this.MOST_BYTES;
    },

    /** A number whose taker was killed before it could note it is left out; the next look takes the next. */
    _pass: function (row, number) {
        var taken = new ClaudeTerminalTable('request').find({slot: this._way() + ':' + number});
        if (taken && new ClaudeTerminalClock().since(taken.getValue('sys_created_on')) > this.LOST_SECONDS) {
            this._table.change(row, {pump_number: number});
        }
    },

    /**
     * @returns {{ids: string[], cursors: Object}} the sessions somebody looks at, and where each has got to
     */
    _watched: function () {
        var session = new ClaudeTerminalTable('session').query({mid_name: this._mid, bridge: this._bridge});
        var watched = {ids: [], cursors: {}};
        session.addQuery('viewed_at', '>=', this._viewedSince());
        session.addQuery('state', 'NOT IN', ClaudeTerminalSessions.ENDED.join(','));
        session.orderBy('session_id');
        session.setLimit(this.MOST_SESSIONS);
        session.query();
        while (session.next()) {
            if (!this._unborn(session)) {
                watched.ids.push(session.getValue('session_id'));
                watched.cursors[session.getValue('session_id')] =
                    Number(session.getValue('output_offset')) || 0;
            }
        }
        return watched;
    },

    /**
     * While a create is under way the sidecar may not know the session yet, and would say that there is
     * none.
     */
    _unborn: function (session) {
        return session.getValue('state') === 'starting' &&
            this._requests.open({op: 'create', session: session.getUniqueValue()}, 120);
    },

    _row: function () {
        return this._table.find({mid_name: this._mid, bridge: this._bridge});
    },

    /** @returns {string} what tells the pumps of both bridges of one name apart */
    _way: function () {
        return this._mid + (this._bridge === 'poller' ? ':poller' : '');
    },

    _viewedSince: function () {
        return new ClaudeTerminalClock().ago(new ClaudeTerminalSettings().viewerSeconds());
    },

    _name: function (epoch) {
        var end = ':' + this._way() + (epoch ? ':' + epoch : '');
        var instance = new ClaudeTerminalSettings().instanceId().substring(0, 32);
        return (instance + end).substring(0, this.LONGEST_NAME);
    },

    type: 'ClaudeTerminalPump'
};
