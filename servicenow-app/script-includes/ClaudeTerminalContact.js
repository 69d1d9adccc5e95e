/**
 * What is known of a poller: when it last asked for work. It reports itself by asking, as a MID Server does by its
 * heartbeat.
 */
var ClaudeTerminalContact = Class.create();

ClaudeTerminalContact.prototype = {
    NOTED_EACH_SECONDS: 10, // it asks several times a second
    SILENT_SECONDS: 30,
    EXPECTED_SECONDS: 30,

    /** @param {string} name of the poller */
    initialize: function (name) {
        this._name = name;
        this._table = new ClaudeTerminalTable('mid_status');
        this._clock = new ClaudeTerminalClock();
    },

    /** @returns {?string} why nothing can be sent to it now, in plain words */
    fault: function () {
        return this._silence(this._table.find({mid_name: this._name, bridge: 'poller'}));
    },

    _silence: function (row) {
        if (!row || !row.getValue('seen_at')) {
            return 'The poller ' + this._name + ' is not running.';
        }
        return this._clock.since(row.getValue('seen_at')) > this.SILENT_SECONDS ? 'The poller ' +
            this._name + ' has not asked for work for ' + this.SILENT_SECONDS + ' s.' : null;
    },

    /**
     * It has asked.
     *
     * @param {?string} version its own
     * @param {boolean} leaving whether it asks no more
     */
    note: function (version, leaving) {
        var row = new ClaudeTerminalMid(this._name, 'poller').row();
        var fault = this._silence(row);
        var values = {seen_at: leaving ? '' : this._clock.now(),
            poller_version: version || row.getValue('poller_version')};
        if (leaving || fault || (row.getValue('poller_version') || '') !== (values.poller_version || '') ||
                this._clock.since(row.getValue('seen_at')) >= this.NOTED_EACH_SECONDS) {
            this._table.change(row, values);
        }
        if (leaving || fault) {
            new ClaudeTerminalReach().look(this._name, 'poller');
        }
    },

    /** Somebody is there who is about to ask something: the poller had better come soon. */
    expect: function () {
        var row = new ClaudeTerminalMid(this._name, 'poller').row();
        if (this._clock.since(row.getValue('wanted_at')) >= this.NOTED_EACH_SECONDS) {
            this._table.change(row, {wanted_at: this._clock.now()});
        }
    },

    /** @returns {number} of users that are there: of its sessions that somebody looks at, or 1 who begins */
    viewers: function () {
        return this._watched() || (this._expected() ? 1 : 0);
    },

    _expected: function () {
        var row = this._table.find({mid_name: this._name, bridge: 'poller'});
        return !!row && this._clock.since(row.getValue('wanted_at')) <= this.EXPECTED_SECONDS;
    },

    _watched: function () {
        var session = new GlideAggregate('x_claude_terminal_session');
        session.addQuery('mid_name', this._name);
        session.addQuery('bridge', 'poller');
        session.addQuery('state', 'NOT IN', ClaudeTerminalSessions.ENDED.join(','));
        session.addQuery('viewed_at', '>=', this._clock.ago(new ClaudeTerminalSettings().viewerSeconds()));
        session.addAggregate('COUNT');
        session.query();
        return session.next() ? Number(session.getAggregate('COUNT')) : 0;
    },

    type: 'ClaudeTerminalContact'
};
