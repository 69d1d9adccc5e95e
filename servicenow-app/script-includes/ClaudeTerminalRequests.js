/**
 * Calls that were put into the ECC queue, and what became of them. Nothing waits for an answer: the sensor
 * settles a request when its answer comes.
 *
 * @typedef {Object} Asked
 * @property {string} op
 * @property {string} mid
 * @property {string} bridge
 * @property {string} [user] sys_id; left out for the application's own calls
 * @property {string} [key] the caller's GUID
 * @property {GlideRecord} [session]
 * @property {string} [credential] sys_id of a credential row
 * @property {string} [stream]
 * @property {number} [seq]
 * @property {string} [slot] a name that only one request may ever have
 * @property {Object} [body]
 * @property {boolean} [bounded] whether it is refused when too many of the user's calls are without an answer
 * @property {function(string)} [noted] called with the request's sys_id before the call can be answered
 */
var ClaudeTerminalRequests = Class.create();

ClaudeTerminalRequests.prototype = {
    LATE_SECONDS: 60,
    MOST_QUEUED: 100, // of one user; each is a row that the MID Server has to take
    RETRY_SECONDS: 5,
    MOST_SETTLED: 20,
    UNSENT_SECONDS: 5, // between a request and its row in the queue there are milliseconds

    initialize: function () {
        this._table = new ClaudeTerminalTable('request');
        this._clock = new ClaudeTerminalClock();
    },

    /**
     * Queue a call, once for each key of a user.
     *
     * @param {Asked} asked
     * @returns {?string} the request's sys_id; null when its slot is taken
     */
    queue: function (asked) {
        var ecc = String(gs.generateGUID()).toLowerCase();
        var key = this.key(asked.user, asked.key || String(gs.generateGUID()).toLowerCase());
        var made = this.repeated(asked);
        if (!made && asked.bounded) {
            this.demandRoom(asked.user);
        }
        made = made || this._insert(asked, key, ecc);
        if (typeof made === 'string') {
            if (asked.noted) {
                asked.noted(made);
            }
            this._send(asked, key, ecc, made);
            return made;
        }
        if (made && this.unsent(made)) {
            this._send(asked, key, made.getValue('ecc_output'), made.getUniqueValue());
        }
        if (!made && !asked.slot) {
            throw new ClaudeTerminalProblem(503, 'Not stored', 'The instance could not store the request.');
        }
        return made ? made.getUniqueValue() : null;
    },

    /** @returns {?GlideRecord} the request that the same user made with the same key */
    repeated: function (asked) {
        var found = asked.key ? this._table.find({key: this.key(asked.user, asked.key)}) : null;
        if (found && (found.getValue('op') !== asked.op || !this._concerns(found, asked))) {
            throw new ClaudeTerminalProblem(409, 'Key reused', 'This key was used for something else.');
        }
        return found;
    },

    /** @throws {ClaudeTerminalProblem} 429 when too many calls of the user are without an answer */
    demandRoom: function (user) {
        var queued = this._table.query({user: user, state: 'queued'});
        queued.chooseWindow(this.MOST_QUEUED - 1, this.MOST_QUEUED);
        queued.query();
        if (queued.hasNext()) {
            throw new ClaudeTerminalProblem(429, 'Too many calls', 'At most ' + this.MOST_QUEUED +
                ' calls of a user may wait for an answer. Try again in a moment.', null, this.RETRY_SECONDS);
        }
    },

    /**
     * Commands of one sender that have their answers.
     *
     * @param {string} session sys_id
     * @param {string} stream
     * @param {number} after the last number the sender knows about
     * @returns {Object[]} by their numbers
     */
    settled: function (session, stream, after) {
        var request = this._table.query({session: session, stream: stream});
        var found = [];
        request.addQuery('seq', '>', after);
        request.addQuery('state', '!=', 'queued');
        request.orderBy('seq');
        request.setLimit(this.MOST_SETTLED);
        request.query();
        while (request.next()) {
            found.push({seq: Number(request.getValue('seq')), request: request.getUniqueValue(),
                state: request.getValue('state'), status: Number(request.getValue('status')) || null,
                problem: request.getValue('state') === 'done' ? null :
                    JSON.parse(request.getValue('answer') || 'null')});
        }
        return found;
    },

    /** @returns {string} at most 64 characters, also the Idempotency-Key; users do not share keys */
    key: function (user, guid) {
        return (user || '') + guid;
    },

    /** @returns {boolean} whether such a request is still without an answer */
    open: function (values, youngerThanSeconds) {
        var query = this._table.query(values);
        query.addQuery('state', 'queued');
        query.addQuery('sys_created_on', '>=', this._clock.ago(youngerThanSeconds));
        query.setLimit(1);
        query.query();
        return query.hasNext();
    },

    /**
     * @param {GlideRecord} request
     * @param {Object} answer the body or the problem; without secrets
     * @param {string} input '' while a better answer would still count
     */
    settle: function (request, ok, status, answer, input) {
        this._table.change(request, {state: ok ? 'done' : 'failed', status: status, answered_by: input,
            answer: JSON.stringify(answer === undefined ? null : answer)});
    },

    /** @returns {string} on which bridge it went; requests of version 1.0 had one bridge alone */
    bridge: function (request) {
        return request.getValue('bridge') || 'mid';
    },

    /** @returns {Object} as callers see it */
    view: function (request) {
        var state = request.getValue('state');
        var view = {id: request.getUniqueValue(), op: request.getValue('op'), state: state,
            status: Number(request.getValue('status')) || null, createdAt: this._clock.told(
                request.getValue('sys_created_on'))};
        if (state === 'queued') {
            view.problem = this._waiting(request);
        } else {
            view[state === 'done' ? 'body' : 'problem'] = JSON.parse(request.getValue('answer') || 'null');
        }
        return view;
    },

    /** A create makes its session anew each time. */
    _concerns: function (found, asked) {
        return asked.op === 'create' || !asked.session ||
            found.getValue('session') === asked.session.getUniqueValue();
    },

    /** @returns {?(string|GlideRecord)} the new row's sys_id, or the row that was there a moment earlier */
    _insert: function (asked, key, ecc) {
        var made = this._table.insert({key: key, op: asked.op, user: asked.user || '',
            session: asked.session ? asked.session.getUniqueValue() : '', credential: asked.credential || '',
            mid_name: asked.mid, bridge: asked.bridge, state: 'queued', ecc_output: ecc,
            stream: asked.stream || '', seq: asked.seq || '', slot: asked.slot || ''});
        return made || this.repeated(asked);
    },

    /** @returns {boolean} whether the node that made the request died before it wrote the call */
    unsent: function (request) {
        var row = new GlideRecord('ecc_queue');
        return request.getValue('state') === 'queued' &&
            this._clock.since(request.getValue('sys_created_on')) > this.UNSENT_SECONDS &&
            !row.get(request.getValue('ecc_output'));
    },

    _send: function (asked, key, ecc, request) {
        try {
            if (asked.bridge === 'poller' && asked.user) {
                new ClaudeTerminalContact(asked.mid).expect(); // one call of a user is seldom the last
            }
            new ClaudeTerminalBridge().send({ecc: ecc, op: asked.op, mid: asked.mid, bridge: asked.bridge,
                user: asked.user || '', session: asked.session ? asked.session.getValue('session_id') : '',
                key: key, body: asked.body});
        } catch (e) {
            this._refused(request, e);
            throw e;
        }
    },

    _refused: function (request, e) {
        var problem = e.type === 'ClaudeTerminalProblem' ? e :
            new ClaudeTerminalProblem(500, 'Fault', 'The system log has more.');
        this.settle(this._table.find({sys_id: request}), false, problem.status, problem.view(), 'never sent');
    },

    /** @returns {?Object} why there is no answer yet, once it is late */
    _waiting: function (request) {
        var mid = request.getValue('mid_name');
        var bridge = this.bridge(request);
        var down = new ClaudeTerminalReach().fault(mid, bridge);
        if (down) {
            return down.view();
        }
        return this._clock.since(request.getValue('sys_created_on')) < this.LATE_SECONDS ? null :
            new ClaudeTerminalProblem(504, 'No answer yet', new ClaudeTerminalReach().called(mid, bridge) +
                ' has not answered for a minute. If it is overloaded or restarts, the answer ' +
                'still comes.').view();
    },

    type: 'ClaudeTerminalRequests'
};
