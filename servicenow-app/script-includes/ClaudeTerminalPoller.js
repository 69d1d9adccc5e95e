/**
 * What an ECC poller may ask: for rows to work off, and to put an answer into the queue. It sees no other row
 * of the queue and writes none.
 *
 * @typedef {{row: string, attempt: number}} Held a row that the poller has, and which attempt at it
 */
var ClaudeTerminalPoller = Class.create();

ClaudeTerminalPoller.prototype = {
    OWNER: /^[\x20-\x7e\u00a0-\uffff]+$/,
    VERSION: /^[\w.+-]+$/,
    MOST_ROWS: 50,
    MOST_HELD: 200,
    LONGEST_ANSWER: 131072,
    LONGEST_ERROR: 4000, // the column's length [KB0855595]

    initialize: function () {
        new ClaudeTerminalAccess().poller();
    },

    /**
     * @param {Object} body name, owner, version, limit, held, look: only look, leaving: asks no more
     * @returns {{rows: Object[], lost: string[], leaseSeconds: number, viewers: number}}
     */
    claim: function (body) {
        var asked = this._asked(new ClaudeTerminalInput(body));
        var contact = new ClaudeTerminalContact(asked.name);
        var claims = new ClaudeTerminalClaims(asked.name, asked.owner);
        var answer = {rows: [], lost: [], leaseSeconds: claims.LEASE_SECONDS, viewers: contact.viewers()};
        if (asked.look) {
            return answer;
        }
        // One that the poller cannot answer is not given to it again, until its lease has ended and counts as tried.
        answer.lost = claims.renew(asked.held.filter(function (one) {
            return !one.expire;
        }));
        answer.rows = claims.take(asked.limit, asked.held);
        // Last: who hears that the poller is back finds its rows taken.
        contact.note(asked.owner, asked.version, asked.leaving);
        return answer;
    },

    /**
     * @param {Object} body name, owner, row, attempt, output: base64, error: '' or what went wrong
     * @returns {{state: string}}
     * @throws {ClaudeTerminalProblem} 404 never claimed by this owner, 409 claimed by another since
     */
    complete: function (body) {
        var input = new ClaudeTerminalInput(body);
        var sysId = ClaudeTerminalAccess.prototype.SYS_ID;
        var done = {name: input.require('name').text('name', 100), owner: this._owner(input),
            row: input.require('row').text('row', 32, sysId),
            attempt: input.require('attempt').integer('attempt', 1, 1000),
            output: input.require('output').text('output', this.LONGEST_ANSWER),
            error: input.words('error', this.LONGEST_ERROR)};
        if (done.output !== null && !new ClaudeTerminalBase64().valid(done.output)) {
            input.refuse('output', 'must be base64');
        }
        input.finish();
        this._known(done.name);
        new ClaudeTerminalClaims(done.name, done.owner).demand(done.row, done.attempt);
        new ClaudeTerminalReply(done.row).write(done.output, done.error);
        return {state: 'answered'};
    },

    _asked: function (input) {
        var asked = {name: input.require('name').text('name', 100), owner: this._owner(input),
            version: input.text('version', 40, this.VERSION), look: input.flag('look'),
            limit: input.require('limit').integer('limit', 0, this.MOST_ROWS),
            held: input.list('held', this.MOST_HELD, this._isHeld), leaving: input.flag('leaving')};
        input.finish();
        this._known(asked.name);
        return asked;
    },

    _owner: function (input) {
        return input.require('owner').text('owner', 100, this.OWNER);
    },

    _isHeld: function (item) {
        return !!item && ClaudeTerminalAccess.prototype.SYS_ID.test(item.row) &&
            typeof item.attempt === 'number' && item.attempt % 1 === 0 && item.attempt > 0;
    },

    _known: function (name) {
        // Before the whole application is switched over, a poller may already wait.
        if (new ClaudeTerminalSettings().mids().indexOf(name) < 0 &&
                !new ClaudeTerminalHosts().has(name, 'poller')) {
            throw new ClaudeTerminalProblem(422, 'Unknown poller',
                'No poller of this name is set up: x_claude_terminal.mids does not name it.');
        }
    },

    type: 'ClaudeTerminalPoller'
};
