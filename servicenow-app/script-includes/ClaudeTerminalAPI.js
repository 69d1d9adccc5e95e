/**
 * What users can do: one method for each operation, as the signed-in user. It is the only writer of the
 * application's tables on behalf of users, and never waits for an answer of a MID Server.
 *
 * @typedef {{request: string, session: string=}} Accepted
 */
var ClaudeTerminalAPI = Class.create();

ClaudeTerminalAPI.prototype = {
    NAME: /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/,
    MODEL: /^[A-Za-z0-9][A-Za-z0-9._:@\/\[\]-]*$/,
    /** What stands in a query; the platform runs one that begins with `javascript:`. */
    STREAM: /^[A-Za-z0-9._-]{1,64}$/,
    START_MS: 15000,
    MOST_BYTES: 65536,
    ECHO_MS: 120, // how long a key waits for its echo, and so holds a thread of the MID Server
    VIEW_EACH_SECONDS: 10,

    initialize: function () {
        this._access = new ClaudeTerminalAccess();
        this._requests = new ClaudeTerminalRequests();
        this._sessions = new ClaudeTerminalSessions();
        this._audit = new ClaudeTerminalAudit();
        this._reach = new ClaudeTerminalReach();
    },

    // --- sessions ----------------------------------------------------------------------------------------

    /**
     * @param {Object} body workspaceType, workspaceName, columns, rows, model, mid, key
     *
     * @returns {Accepted}
     */
    create: function (body) {
        var user = this._access.user();
        var wanted = this._wanted(new ClaudeTerminalInput(body));
        var repeated = this._requests.repeated({op: 'create', user: user, key: wanted.key});
        var placement = new ClaudeTerminalPlacement(user);
        var born;
        if (repeated) {
            return this._createdBefore(repeated, wanted, placement);
        }
        this._requests.demandRoom(user);
        born = new ClaudeTerminalBirth(user, placement.choose(wanted.mid), wanted).session();
        return {request: born.request, session: born.id};
    },

    /**
     * @param {Object} query limit, offset; state, which may also be `living` or `ended`
     * @returns {{items: Object[], total: number}} newest first
     */
    list: function (query) {
        var directory = new ClaudeTerminalDirectory(this._access.user());
        return directory.page(this._number(query, 'limit', 20, 1, 100),
            this._number(query, 'offset', 0, 0, 1e6), query.state || '');
    },

    get: function (id) {
        return this._sessions.view(this._access.session(id));
    },

    /** @param {Object} body command, mode, stream, seq, key @returns {Accepted} */
    command: function (id, body) {
        var session = this._access.session(id);
        var input = new ClaudeTerminalInput(body);
        var mode = input.choice('mode', ['text', 'raw', 'keys']) || 'text';
        var sent = {command: input.command(mode), mode: mode, stream: input.text('stream', 64, this.STREAM),
            seq: input.integer('seq', 1, 2147483647), encoding: 'base64', maxBytes: this.MOST_BYTES};
        var about = {key: input.key(), stream: sent.stream, seq: sent.seq};
        input.finish();
        this._typing(session, about);
        sent.waitMs = mode === 'text' ? new ClaudeTerminalSettings().commandWaitMs() : this.ECHO_MS;
        sent.pump = this._pump(session).name();
        return this._ask('command', session, sent, about);
    },

    /**
     * What the instance holds; changes nothing.
     *
     * @param {Object} query cursor, max_bytes; stream, after: whose commands, and the last number known
     */
    output: function (id, query) {
        var session = this._access.session(id);
        var answer = new ClaudeTerminalOutput(session.getUniqueValue()).read(
            this._number(query, 'cursor', 0, 0, 9e15),
            this._number(query, 'max_bytes', this.MOST_BYTES, 3, 1048576));
        answer.encoding = 'base64';
        answer.state = session.getValue('state');
        answer.activity = session.getValue('activity');
        answer.outputSeq = Number(session.getValue('output_seq')) || 0;
        answer.columns = Number(session.getValue('columns')) || null;
        answer.rows = Number(session.getValue('rows')) || null;
        answer.reachable = session.getValue('reachable') === '1';
        answer.problem = session.getValue('problem') || null;
        answer.writer = new ClaudeTerminalWriter(session).tab();
        answer.input = this._input(session, query);
        return answer;
    },

    /** Output straight from the sidecar. @param {Object} body cursor, maxBytes, key @returns {Accepted} */
    fetch: function (id, body) {
        var session = this._access.session(id);
        var input = new ClaudeTerminalInput(body);
        var sent = {cursor: input.require('cursor').integer('cursor', 0, 9e15),
            maxBytes: input.integer('maxBytes', 4, this.MOST_BYTES) || this.MOST_BYTES, encoding: 'base64'};
        var key = input.key();
        input.finish();
        return this._ask('output', session, sent, {key: key});
    },

    /** @returns {Accepted} */
    screen: function (id, body) {
        return this._plain('screen', id, body);
    },

    /** @returns {Accepted} */
    status: function (id, body) {
        return this._plain('status', id, body);
    },

    /** @param {Object} body columns, rows, key @returns {Accepted} */
    resize: function (id, body) {
        var session = this._access.session(id);
        var input = new ClaudeTerminalInput(body).require('columns').require('rows');
        var sent = {columns: input.integer('columns', 1, 500), rows: input.integer('rows', 1, 500)};
        var key = input.key();
        input.finish();
        this._living(session);
        return this._ask('resize', session, sent, {key: key});
    },

    /**
     * Somebody looks at the session, and will call again.
     *
     * @param {Object} body tab, take: displace the tab that types, release: looks no more
     * @returns {{seconds: number, writer: ?string}} within which, and the tab that types
     */
    view: function (id, body) {
        var session = this._access.session(id);
        var look = this._look(new ClaudeTerminalInput(body));
        var seconds = new ClaudeTerminalSettings().viewerSeconds();
        var values = this._leases(session, look, seconds);
        this._sessions.lease(session, values);
        if (!look.release) {
            this._pump(session).ensure();
        }
        // Read again: another tab may have claimed it at the same moment.
        session = values.writer || look.release ? this._sessions.fresh(session.getUniqueValue()) || session :
            session;
        return {seconds: seconds, writer: new ClaudeTerminalWriter(session).tab()};
    },

    /** @returns {Accepted} */
    terminate: function (id) {
        var session = this._access.session(id);
        var accepted = this._ask('terminate', session, {}, {});
        this._audit.write('session.terminate', {user: session.getValue('user'), session: id,
            mid: session.getValue('mid_name')});
        return accepted;
    },

    /**
     * Compare the user's sessions with the sidecars'.
     *
     * @param {Object} body mid
     * @returns {{requests: string[]}}
     */
    refresh: function (body) {
        var user = this._access.user();
        var input = new ClaudeTerminalInput(body);
        var mid = input.text('mid', 100);
        var requests;
        input.finish();
        requests = new ClaudeTerminalDirectory(user).hosts(mid).map(function (host) {
            this._reach.demand(host.name, host.bridge);
            return this._requests.queue({op: 'list', mid: host.name, user: user, bounded: true,
                body: {limit: 100, offset: 0}, bridge: host.bridge});
        }, this);
        return {request: requests[0] || null, requests: requests};
    },

    request: function (id) {
        return this._requests.view(this._access.request(id));
    },

    // --- MID Servers -------------------------------------------------------------------------------------

    /** @returns {{items: Object[]}} */
    mids: function () {
        var bridge = new ClaudeTerminalSettings().bridge();
        this._access.user();
        return {items: new ClaudeTerminalSettings().mids().map(function (name) {
            if (bridge === 'poller') {
                new ClaudeTerminalContact(name).expect(); // whoever chooses a host wants something of it next
            }
            return new ClaudeTerminalMid(name, bridge).view();
        })};
    },

    /** @param {Object} body bridge: of a name that two bridges use @returns {Accepted} */
    health: function (name, body) {
        var user = this._access.admin();
        var input = new ClaudeTerminalInput(body);
        var bridge = input.choice('bridge', ['mid', 'poller']);
        input.finish();
        return this._askMid('health', name, user, bridge);
    },

    /** @returns {Accepted} */
    sealingKey: function (name) {
        return this._askMid('sealing_key', name, this._access.user(), null);
    },

    // --- API keys ----------------------------------------------------------------------------------------

    /** @returns {{items: Object[]}} */
    credentials: function () {
        return {items: new ClaudeTerminalCredentials().list(this._access.user())};
    },

    /** @param {Object} body mid, sealed, hint, kid, key @returns {{request: string, credential: string}} */
    storeCredential: function (body) {
        var user = this._access.user();
        var credentials = new ClaudeTerminalCredentials();
        var input = new ClaudeTerminalInput(body).require('mid').require('sealed').require('hint')
            .require('kid');
        var wanted = {mid: input.text('mid', 100), sealed: input.text('sealed', 4000, credentials.JWE),
            hint: input.text('hint', 4, credentials.HINT), kid: input.text('kid', 43, credentials.KID),
            key: input.key()};
        input.finish();
        return credentials.store(user, wanted);
    },

    /** @returns {Accepted} */
    deleteCredential: function (id) {
        return {request: new ClaudeTerminalCredentials().remove(this._access.credential(id), null)};
    },

    // -----------------------------------------------------------------------------------------------------

    /** The same answer; and the call is made if the node that took the first one died before it wrote it. */
    _createdBefore: function (request, wanted, placement) {
        var session = this._sessions.fresh(request.getValue('session'));
        if (session && this._requests.unsent(request)) {
            new ClaudeTerminalBirth(request.getValue('user'), placement.known(session), wanted)
                .again(session);
        }
        return {request: request.getUniqueValue(), session: session ? session.getValue('session_id') : null};
    },

    /** @throws {ClaudeTerminalProblem} 409 when nothing may be typed, unless it was accepted before */
    _typing: function (session, about) {
        var refusal = this._sessions.ended(session) ? this._over() :
            new ClaudeTerminalWriter(session).refusal(about.stream);
        if (refusal && !this._requests.repeated({op: 'command', user: session.getValue('user'),
            key: about.key, session: session})) {
            throw refusal;
        }
    },

    _look: function (input) {
        var look = {tab: input.text('tab', 32, ClaudeTerminalWriter.prototype.TAB),
            take: input.flag('take'), release: input.flag('release')};
        if (look.take || look.release) {
            input.require('tab');
        }
        if (look.take && look.release) {
            input.refuse('release', 'does not go with take');
        }
        input.finish();
        return look;
    },

    /** @returns {Object} columns of the session that a look changes */
    _leases: function (session, look, seconds) {
        var clock = new ClaudeTerminalClock();
        var writer = new ClaudeTerminalWriter(session);
        var values = {};
        if (look.release) {
            return writer.release(look.tab);
        }
        if (look.tab && !this._sessions.ended(session)) {
            values = writer.claim(look.tab, look.take);
        }
        if (clock.since(session.getValue('viewed_at')) >= Math.min(this.VIEW_EACH_SECONDS, seconds / 2)) {
            values.viewed_at = clock.now();
        }
        return values;
    },

    /** @returns {Object[]} the commands of a stream that have their answers */
    _input: function (session, query) {
        var after = this._number(query, 'after', 0, 0, 2147483647);
        var stream = query.stream;
        if (stream === undefined) {
            return [];
        }
        if (!this.STREAM.test(stream)) {
            throw new ClaudeTerminalProblem(422, 'Invalid request',
                'stream must be 1 to 64 of A-Z a-z 0-9 . _ and -.');
        }
        return this._requests.settled(session.getUniqueValue(), stream, after);
    },

    _wanted: function (input) {
        var wanted = {workspaceType: input.choice('workspaceType', ['isolated', 'persistent']) || 'isolated',
            workspaceName: input.text('workspaceName', 64, this.NAME) || 'default',
            columns: input.integer('columns', 1, 500) || 120, rows: input.integer('rows', 1, 500) || 40,
            model: input.text('model', 100, this.MODEL), mid: input.text('mid', 100), key: input.key(),
            renderer: 'classic', waitMs: this.START_MS};
        input.finish();
        return wanted;
    },

    _plain: function (op, id, body) {
        var session = this._access.session(id);
        var input = new ClaudeTerminalInput(body);
        var key = input.key();
        input.finish();
        return this._ask(op, session, {}, {key: key});
    },

    _ask: function (op, session, body, about) {
        var mid = session.getValue('mid_name');
        this._reach.demand(mid, session.getValue('bridge'));
        return {session: session.getValue('session_id'), request: this._requests.queue({op: op, mid: mid,
            bridge: session.getValue('bridge'), user: session.getValue('user'), session: session,
            key: about.key, stream: about.stream, seq: about.seq, body: body, bounded: op !== 'terminate'})};
    },

    _askMid: function (op, name, user, wanted) {
        var bridge = wanted || new ClaudeTerminalSettings().bridge();
        if (!new ClaudeTerminalHosts().has(name, bridge)) {
            throw new ClaudeTerminalProblem(404, 'Not found',
                'This ' + this._reach.kind(bridge) + ' is not set up for sessions.');
        }
        this._reach.demand(name, bridge);
        this._requests.demandRoom(user);
        return {request: new ClaudeTerminalMid(name, bridge).ask(op, user)};
    },

    _pump: function (session) {
        return new ClaudeTerminalPump(session.getValue('mid_name'), session.getValue('bridge'));
    },

    _living: function (session) {
        if (this._sessions.ended(session)) {
            throw this._over();
        }
    },

    _over: function () {
        return new ClaudeTerminalProblem(409, 'Session ended', 'The session has ended.');
    },

    _number: function (query, name, otherwise, least, most) {
        var text = query[name];
        if (text === undefined) {
            return otherwise;
        }
        if (!/^[0-9]{1,16}$/.test(text) || Number(text) < least || Number(text) > most) {
            throw new ClaudeTerminalProblem(422, 'Invalid request',
                name + ' must be a whole number from ' + least + ' to ' + most + '.');
        }
        return Number(text);
    },

    type: 'ClaudeTerminalAPI'
};
