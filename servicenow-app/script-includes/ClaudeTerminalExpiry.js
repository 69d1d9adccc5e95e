/** Ends what nobody waits for any more, and deletes what is old. */
var ClaudeTerminalExpiry = Class.create();

ClaudeTerminalExpiry.prototype = {
    UNTAKEN_SECONDS: 900,
    OWN_SECONDS: 3600, // health checks and pumps: one row each, of no use to anybody
    DAY_SECONDS: 86400,
    MOST: 500, // rows at a time
    RUN_SECONDS: 120, // what is left then goes with the next run

    initialize: function () {
        this._clock = new ClaudeTerminalClock();
        this._settings = new ClaudeTerminalSettings();
    },

    /** Delete old rows and old output. */
    run: function () {
        var kept = this._clock.ago(this._settings.keepDays() * this.DAY_SECONDS);
        this._until = this._clock.ahead(this.RUN_SECONDS);
        this._delete('request',
            'userISEMPTY^state!=queued^sys_created_on<' + this._clock.ago(this.OWN_SECONDS));
        this._delete('request', 'sys_created_on<' + kept);
        this._delete('audit', 'sys_created_on<' + kept);
        this._delete('claim', 'sys_created_on<' + kept);
        this._claims();
        this._delete('session',
            'stateIN' + ClaudeTerminalSessions.ENDED.join(',') + '^ended_at<' + kept);
        this._trim();
    },

    /** A command that nobody took for a quarter of an hour is not typed when its MID Server comes back. */
    giveUp: function () {
        var request = new ClaudeTerminalTable('request').query({state: 'queued'});
        request.addQuery('sys_created_on', '<', this._clock.ago(this.UNTAKEN_SECONDS));
        request.setLimit(this.MOST);
        request.query();
        while (request.next()) {
            this._drop(request);
        }
    },

    _drop: function (request) {
        var attempts = this._withdraw(request.getValue('ecc_output'));
        if (attempts !== null) {
            this._tell(request.getUniqueValue(), attempts > 0);
        }
    },

    _tell: function (sysId, taken) {
        var found = new ClaudeTerminalTable('request').find({sys_id: sysId});
        var who = 'The ' + new ClaudeTerminalReach().kind(new ClaudeTerminalRequests().bridge(found));
        var problem = new ClaudeTerminalProblem(504, 'No answer', who + (taken ?
            ' took the call but has not answered. Whether it was done is not known.' :
            ' did not take the call; it was withdrawn, nothing was done.'));
        if (found.getValue('state') !== 'queued') {
            return; // answered in this moment
        }
        // An answer that comes after all still counts.
        new ClaudeTerminalRequests().settle(found, false, 504, problem.view(), '');
        // A health check or pump of so long ago tells nothing of now.
        if (found.getValue('user')) {
            new ClaudeTerminalEffect().apply(found,
                {ok: false, status: 504, problem: problem.view(), final: false});
        }
    },

    /**
     * @returns {?number} how often somebody took the row, which nobody does any more; null while a poller has it: it
     *     is looked at again when its lease has ended
     */
    _withdraw: function (ecc) {
        var row = new GlideRecord('ecc_queue');
        if (!row.get(ecc)) {
            return 0; // the node that made the request died before it wrote the call
        }
        if (row.getValue('topic') === ClaudeTerminalClaims.prototype.TOPIC) {
            return this._withdrawn(row, new ClaudeTerminalClaims('', 'withdrawn').bar(row));
        }
        // What a MID Server has taken it answers even after a restart.
        return row.getValue('state') === 'ready' ? this._withdrawn(row, 0) : 1;
    },

    _withdrawn: function (row, attempts) {
        if (attempts !== null && ClaudeTerminalReply.prototype.OPEN.indexOf(row.getValue('state')) >= 0) {
            row.setValue('state', 'error');
            row.setValue('error_string', 'Withdrawn: not ' + (attempts ? 'answered' : 'taken') + ' in time.');
            row.update();
        }
        return attempts;
    },

    _delete: function (table, query) {
        var row, gone;
        do {
            row = new GlideRecord('x_claude_terminal_' + table);
            row.addEncodedQuery(query);
            row.setLimit(this.MOST);
            row.query();
            gone = 0;
            while (row.next()) {
                gone += row.deleteRecord() ? 1 : 0;
            }
        } while (gone === this.MOST && this._clock.now() < this._until);
    },

    /** Claims of answered calls tell nothing any more; those of the others say how often they were tried. */
    _claims: function () {
        var last = '';
        var old, claims;
        do {
            old = this._oldClaims(last);
            claims = Object.keys(old).sort();
            last = claims[claims.length - 1];
            this._forget(claims, old, this._open(old));
        } while (claims.length === this.MOST && this._clock.now() < this._until);
    },

    /** @returns {Object} of the next claims: the rows of the queue that they are about */
    _oldClaims: function (after) {
        var claim = new ClaudeTerminalTable('claim').query({});
        var before = this._clock.ago(this.OWN_SECONDS);
        var found = {};
        claim.addQuery('sys_created_on', '<', before);
        claim.addQuery('leased_until', '<', before);
        claim.addQuery('sys_id', '>', after);
        claim.orderBy('sys_id');
        claim.setLimit(this.MOST);
        claim.query();
        while (claim.next()) {
            found[claim.getUniqueValue()] = claim.getValue('queue_row');
        }
        return found;
    },

    /** @returns {Object} which rows of the queue among these have no answer */
    _open: function (old) {
        var row = new GlideRecord('ecc_queue');
        var open = {};
        row.addQuery('sys_id', 'IN', Object.keys(old).map(function (claim) {
            return old[claim];
        }).join(','));
        row.addQuery('state', 'IN', ClaudeTerminalReply.prototype.OPEN.join(','));
        row.query();
        while (row.next()) {
            open[row.getUniqueValue()] = true;
        }
        return open;
    },

    _forget: function (claims, old, open) {
        claims.forEach(function (claim) {
            var row = open[old[claim]] ? null : new ClaudeTerminalTable('claim').find({sys_id: claim});
            if (row) {
                row.deleteRecord();
            }
        });
    },

    _trim: function () {
        var session = new ClaudeTerminalTable('session').query({});
        session.addQuery('output_offset', '>', this._settings.outputBytes());
        session.query();
        while (session.next()) {
            new ClaudeTerminalOutput(session.getUniqueValue()).trim(this._settings.outputBytes());
        }
    },

    type: 'ClaudeTerminalExpiry'
};
