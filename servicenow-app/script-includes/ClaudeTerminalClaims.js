/**
 * Who works off which row of the queue: one row here for each attempt at it. That two owners never have the same
 * attempt is the unique index on queue row and attempt; the platform promises no compare-and-swap. A claim is a
 * lease: when it runs out, the next attempt is open to everybody.
 *
 * Rows of one session (of one `order`) never go to two owners at a time, so that they keep their order.
 *
 * @typedef {{id: string, order: string, payload: ?string}} Queued
 */
var ClaudeTerminalClaims = Class.create();

ClaudeTerminalClaims.prototype = {
    TOPIC: 'ClaudeTerminal',
    OPEN: 'ready,processing',
    LEASE_SECONDS: 30,
    /** Leases are written longer than told, so that one that is renewed all the time is written seldom. */
    WRITTEN_SECONDS: 35,
    MOST_ATTEMPTS: 5,
    MOST_LOOKED_AT: 300,
    LONGEST_PAYLOAD: 200000,
    GIVEN_UP: 'given up after 5 attempts',

    /**
     * @param {string} name of the poller
     * @param {string} owner one run of one poller
     */
    initialize: function (name, owner) {
        this._name = name;
        this._owner = owner;
        this._table = new ClaudeTerminalTable('claim');
        this._clock = new ClaudeTerminalClock();
    },

    /**
     * @param {Held[]} held
     * @returns {string[]} rows among them that others have
     */
    renew: function (held) {
        var last = this._last(held.map(function (one) {
            return one.row;
        }));
        return held.filter(function (one) {
            return !this._renewed(one, last[one.row]);
        }, this).map(function (one) {
            return one.row;
        });
    },

    /**
     * Take the oldest rows that are free.
     *
     * @param {number} limit
     * @param {Held[]} held those that the owner has already
     * @returns {{row: string, attempt: number, order: string, payload: ?string}[]} in their order
     */
    take: function (limit, held) {
        var queued = limit ? this._queued() : [];
        var known = this._last(queued.map(function (row) {
            return row.id;
        }));
        var blocked = {};
        var taken = [];
        var has = {};
        held.forEach(function (one) {
            has[one.row] = one.attempt;
        });
        queued.forEach(function (row) {
            if (taken.length < limit && !(row.order && blocked[row.order])) {
                this._consider(row, known[row.id], has, taken, blocked);
            }
        }, this);
        return taken;
    },

    /** @throws {ClaudeTerminalProblem} 404 no such claim of this owner, 409 the lease is another's now */
    demand: function (row, attempt) {
        var claim = this._table.find({queue_row: row, attempt: attempt});
        var last = this._last([row])[row];
        if (!claim || claim.getValue('owner') !== this._owner) {
            throw new ClaudeTerminalProblem(404, 'Not found', 'There is no such claim of this owner.');
        }
        if (Number(last.attempt) !== attempt) {
            throw new ClaudeTerminalProblem(409, 'Lease lost',
                'The lease ran out, and another attempt at the row has begun.');
        }
    },

    /**
     * Take a row out of the pollers' reach for good.
     *
     * @param {GlideRecord} row
     * @returns {boolean} false when one of them was faster
     */
    bar: function (row) {
        // Of other rows there are no claims: MID Servers know nothing of them.
        return row.getValue('topic') !== this.TOPIC || !!this._table.insert({queue_row: row.getUniqueValue(),
            attempt: 1, owner: this._owner, leased_until: this._clock.ahead(this.WRITTEN_SECONDS)});
    },

    _consider: function (row, last, has, taken, blocked) {
        var live = last && last.until >= this._clock.now();
        var mine = live && last.owner === this._owner;
        var attempt;
        if (mine && has[row.id] === last.attempt) {
            return;
        }
        if (live && !mine) {
            blocked[row.order] = true;
            return;
        }
        // A live one of the owner's that it does not know of: the answer that told it was lost.
        attempt = mine ? last.attempt : this._begun(row, last ? last.attempt + 1 : 1);
        if (attempt) {
            taken.push({row: row.id, attempt: attempt, order: row.order, payload: row.payload});
        } else if (attempt === 0) {
            blocked[row.order] = true;
        }
    },

    /** @returns {?number} the attempt; 0 when another was faster; null when there is nothing to do any more */
    _begun: function (row, attempt) {
        if (attempt > this.MOST_ATTEMPTS) {
            return this._giveUp(row.id);
        }
        if (!this._table.insert({queue_row: row.id, attempt: attempt, owner: this._owner,
            leased_until: this._clock.ahead(this.WRITTEN_SECONDS)})) {
            return 0;
        }
        return this._mark(row.id) ? attempt : null;
    },

    /** Answer in the pollers' place. One that the queue refuses must not keep them from all others. */
    _giveUp: function (sysId) {
        try {
            new ClaudeTerminalReply(sysId).refuse(504, 'No answer', 'The call was ' + this.GIVEN_UP + '.');
            return null;
        } catch (e) {
            gs.error('ClaudeTerminalClaims: ' + sysId + ' could not be given up: ' + e);
            return 0;
        }
    },

    /** @returns {boolean} false when it was answered or withdrawn since it was read */
    _mark: function (sysId) {
        var row = new GlideRecord('ecc_queue');
        if (!row.get(sysId) || this.OPEN.split(',').indexOf(row.getValue('state')) < 0) {
            return false;
        }
        row.setValue('state', 'processing');
        row.setValue('processed', row.getValue('processed') || this._clock.now());
        row.update();
        return true;
    },

    _renewed: function (held, last) {
        if (!last || last.attempt !== held.attempt || last.owner !== this._owner) {
            return false;
        }
        if (last.until >= this._clock.ahead(this.LEASE_SECONDS + 1)) {
            return true;
        }
        this._table.change(this._table.find({queue_row: held.row, attempt: held.attempt}),
            {leased_until: this._clock.ahead(this.WRITTEN_SECONDS)});
        // Read again: another may have found it run out in this moment. Its attempt is the one that counts.
        return this._last([held.row])[held.row].attempt === held.attempt;
    },

    /** @returns {Object} of queue rows: the last attempt at each, its owner, and until when */
    _last: function (rows) {
        var found = {};
        var claim = this._table.query({});
        if (!rows.length) {
            return found;
        }
        claim.addQuery('queue_row', 'IN', rows.join(','));
        claim.orderBy('attempt');
        claim.query();
        while (claim.next()) {
            found[claim.getValue('queue_row')] = {attempt: Number(claim.getValue('attempt')),
                owner: claim.getValue('owner'), until: claim.getValue('leased_until')};
        }
        return found;
    },

    /** @returns {Queued[]} the poller's rows without an answer, oldest first */
    _queued: function () {
        var row = new GlideRecord('ecc_queue');
        var found = [];
        row.addQuery('agent', new ClaudeTerminalBridge().agent(this._name, 'poller'));
        row.addQuery('queue', 'output');
        row.addQuery('topic', this.TOPIC);
        row.addQuery('state', 'IN', this.OPEN);
        row.orderBy('sequence');
        row.orderBy('sys_created_on');
        row.setLimit(this.MOST_LOOKED_AT);
        row.query();
        while (row.next()) {
            found.push(this._read(row));
        }
        return found;
    },

    _read: function (row) {
        var session = String(row.getValue('agent_correlator') || '');
        var payload = String(row.getValue('payload') || '');
        return {id: row.getUniqueValue(), payload: payload.length > this.LONGEST_PAYLOAD ? null : payload,
            order: ClaudeTerminalAccess.prototype.UUID.test(session) ? session : ''};
    },

    type: 'ClaudeTerminalClaims'
};
