/**
 * What is known of a poller: when it last asked for work. It reports itself by asking, as a MID Server does by its
 * heartbeat.
 */
var ClaudeTerminalContact = Class.create();

ClaudeTerminalContact.prototype = {
    NOTED_EACH_SECONDS: 10, // it asks several times a second
    SILENT_SECONDS: 30,
    ASKING_SECONDS: 20, // it asks at least every 5 s, and is noted every 10
    MOST_NOTED: 30, // their lines fit into the column
    TIME_LENGTH: 20, // and a space
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
     * @param {string} owner which run of a poller of this name
     * @param {?string} version its own
     * @param {boolean} leaving whether this one asks no more; others of the name may
     */
    note: function (owner, version, leaving) {
        var row = new ClaudeTerminalMid(this._name, 'poller').row();
        var fault = this._silence(row);
        var asking = this._asking(row, owner, leaving);
        var stopped = leaving && !asking;
        this._table.change(row, {asked_by: asking, seen_at: this._seen(row, fault, leaving, stopped),
            poller_version: version || row.getValue('poller_version')});
        if (stopped || fault) {
            new ClaudeTerminalReach().look(this._name, 'poller');
        }
    },

    _seen: function (row, fault, leaving, stopped) {
        var seen = row.getValue('seen_at');
        if (stopped) {
            return '';
        }
        return !leaving && (fault || this._clock.since(seen) >= this.NOTED_EACH_SECONDS) ?
            this._clock.now() : seen;
    },

    /**
     * Two that write at the same moment may lose one line; it is there again when that one is noted next.
     *
     * @returns {string} a line for each run that asks: when it was noted last, and its owner
     */
    _asking: function (row, owner, leaving) {
        var noted = row.getValue('asked_by') || '';
        var lines = noted.split('\n').filter(function (line) {
            return this._younger(line, this.ASKING_SECONDS);
        }, this);
        var others = lines.filter(function (line) {
            return line.substring(this.TIME_LENGTH) !== owner;
        }, this);
        if (leaving) {
            return others.join('\n');
        }
        return lines.length > others.length && this._younger(lines.filter(function (line) {
            return others.indexOf(line) < 0;
        })[0], this.NOTED_EACH_SECONDS) ? noted :
            others.concat(this._clock.now() + ' ' + owner).slice(-this.MOST_NOTED).join('\n');
    },

    _younger: function (line, seconds) {
        return !!line && this._clock.since(line.substring(0, this.TIME_LENGTH - 1)) < seconds;
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
