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
    MOST_LOOKS: 4, // each without the sessions that the one before found to be of no use
    /** Rows of one session with one owner: as many as are typed at once while there is room, fewer when not. */
    MOST_OF_ONE: 20,
    FEW_OF_ONE: 8,
    LONGEST_PAYLOAD: 200000,
    MOST_CHARACTERS: 500000, // of all payloads of one claim, but for one that is longer by itself
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
     * Take the oldest rows that are free; calls without a session first, because a session's hundred commands must
     * not keep the pump and health checks waiting.
     *
     * @param {number} limit
     * @param {Held[]} held those that the owner has already
     * @returns {{row: string, attempt: number, order: string, payload: ?string}[]} those of a session in their order
     */
    take: function (limit, held) {
        var taking = {limit: limit, places: limit + held.length, held: {}, seen: {}, blocked: {}, of: {},
            characters: 0, full: limit < 1, taken: []};
        var look, rows;
        held.forEach(function (one) {
            taking.held[one.row] = one.attempt;
        });
        for (look = 0; look < this.MOST_LOOKS && !taking.full; look++) {
            rows = this._queued(Object.keys(taking.blocked));
            this._offer(rows, taking);
            if (rows.length < this.MOST_LOOKED_AT) {
                break;
            }
        }
        return taking.taken;
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
     * @returns {?number} how many attempts were made at it; null when a poller has it, or was faster
     */
    bar: function (row) {
        var last = this._last([row.getUniqueValue()])[row.getUniqueValue()];
        var made = last ? last.attempt : 0;
        return !this._live(last) && this._insert(row.getUniqueValue(), made + 1) ? made : null;
    },

    _offer: function (rows, taking) {
        var known;
        rows = rows.filter(function (row) {
            return !taking.seen[row.id];
        });
        known = this._last(rows.map(function (row) {
            return row.id;
        }));
        rows.forEach(function (row) {
            taking.seen[row.id] = true;
            if (!taking.full && !(row.order && taking.blocked[row.order])) {
                this._consider(row, known[row.id], taking);
            }
        }, this);
    },

    _consider: function (row, last, taking) {
        var mine = this._live(last) && last.owner === this._owner;
        if (mine && taking.held[row.id] === last.attempt) {
            this._count(row, taking);
        } else if (this._live(last) && !mine || this._enough(row, taking)) {
            this._block(row, taking);
        } else if (taking.taken.length && taking.characters + this._length(row) > this.MOST_CHARACTERS) {
            taking.full = true;
        } else {
            // A live one of the owner's that it does not know of: the answer that told it was lost.
            this._give(row, mine ? this._again(row.id, last) : this._begun(row, last ? last.attempt + 1 : 1),
                taking);
        }
    },

    _give: function (row, attempt, taking) {
        if (attempt) {
            this._count(row, taking);
            taking.characters += this._length(row);
            taking.taken.push({row: row.id, attempt: attempt, order: row.order, payload: row.payload});
            taking.full = taking.taken.length >= taking.limit;
        } else if (attempt === 0) {
            this._block(row, taking);
        }
    },

    _block: function (row, taking) {
        if (row.order) {
            taking.blocked[row.order] = true;
        }
    },

    _count: function (row, taking) {
        taking.of[row.order] = (taking.of[row.order] || 0) + 1;
    },

    /** @returns {boolean} whether the owner has so many rows of one session that others would go short */
    _enough: function (row, taking) {
        var owned = taking.taken.length + Object.keys(taking.held).length;
        return !!row.order && (taking.of[row.order] || 0) >=
            (2 * owned < taking.places ? this.MOST_OF_ONE : this.FEW_OF_ONE);
    },

    _length: function (row) {
        return row.payload === null ? 0 : row.payload.length;
    },

    _live: function (last) {
        return !!last && last.until >= this._clock.now();
    },

    _insert: function (row, attempt) {
        return this._table.insert({queue_row: row, attempt: attempt, owner: this._owner,
            leased_until: this._clock.ahead(this.WRITTEN_SECONDS)});
    },

    /** @returns {number} the attempt, with a whole lease; 0 when another took the row in this moment */
    _again: function (row, last) {
        return this._renewed({row: row, attempt: last.attempt}, last) ? last.attempt : 0;
    },

    /** @returns {?number} the attempt; 0 when another was faster; null when there is nothing to do any more */
    _begun: function (row, attempt) {
        if (attempt > this.MOST_ATTEMPTS) {
            return this._giveUp(row.id);
        }
        if (!this._insert(row.id, attempt)) {
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

    /** @returns {Queued[]} rows without an answer but those of `blocked` sessions, oldest first after those of none */
    _queued: function (blocked) {
        var found = this._open('NOT IN', blocked.join(','));
        // So many rows of sessions may hide the others.
        return (found.length < this.MOST_LOOKED_AT ? [] : this._open('=', this._name)).concat(
            found.filter(function (row) {
                return !row.order;
            }), found.filter(function (row) {
                return row.order;
            }));
    },

    _open: function (operator, correlators) {
        var row = new GlideRecord('ecc_queue');
        var found = [];
        row.addQuery('agent', new ClaudeTerminalBridge().agent(this._name, 'poller'));
        row.addQuery('queue', 'output');
        row.addQuery('topic', this.TOPIC);
        row.addQuery('state', 'IN', this.OPEN);
        if (correlators) {
            row.addQuery('agent_correlator', operator, correlators);
        }
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
