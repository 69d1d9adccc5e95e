/** What an answer changes, operation by operation. Applying one twice changes nothing more. */
var ClaudeTerminalEffect = Class.create();

/** Which method takes the answer of which operation, when it is ok. */
ClaudeTerminalEffect.METHODS = {
    'create': '_session', 'status': '_session', 'resize': '_session', 'command': '_command',
    'output': '_output', 'outputs': '_outputs', 'screen': '_screen', 'terminate': '_terminate',
    'list': '_list', 'health': '_health', 'sealing_key': '_sealingKey',
    'credential.store': '_credentialStored', 'credential.delete': '_credentialDeleted'
};

ClaudeTerminalEffect.prototype = {
    ENDED: 'Session ended', // the sidecar's title for input to a session that is over

    initialize: function () {
        this._sessions = new ClaudeTerminalSessions();
    },

    /** @returns {Object} of a body what the request keeps: terminal output has a table of its own */
    kept: function (request, body) {
        var kept;
        if (request.getValue('op') === 'outputs') {
            return {};
        }
        if (request.getValue('op') !== 'command' || !body.output) {
            return body;
        }
        kept = JSON.parse(JSON.stringify(body));
        delete kept.output.data;
        return kept;
    },

    /**
     * @param {GlideRecord} request
     * @param {Answer} answer
     * @returns {Answer} the same, unless it tells of another session than was asked about
     */
    meant: function (request, answer) {
        var about = answer.ok && ClaudeTerminalEffect.METHODS[request.getValue('op')] === '_session';
        var session = about ? this._about(request) : null;
        return !session || answer.body.sessionId === session.getValue('session_id') ? answer :
            new ClaudeTerminalAnswer().unreadable('The answer tells of another session.');
    },

    /**
     * @param {GlideRecord} request
     * @param {Answer} answer
     */
    apply: function (request, answer) {
        if (answer.ok) {
            this[ClaudeTerminalEffect.METHODS[request.getValue('op')]](request, answer.body);
        } else {
            this._failed(request, answer);
        }
    },

    /** @returns {?GlideRecord} the session that was asked about, as it is now */
    _about: function (request) {
        return this._sessions.fresh(request.getValue('session'));
    },

    _mid: function (request) {
        return new ClaudeTerminalMid(request.getValue('mid_name'),
            new ClaudeTerminalRequests().bridge(request));
    },

    _pump: function (request) {
        return new ClaudeTerminalPump(request.getValue('mid_name'),
            new ClaudeTerminalRequests().bridge(request));
    },

    // --- answers that are ok -----------------------------------------------------------------------------

    _session: function (request, body) {
        var session = this._about(request);
        if (session) {
            this._sessions.adopt(session, body);
            this._pump(request).ensure();
        }
    },

    _command: function (request, body) {
        var session = this._about(request);
        var told = this._sessions.news(session, body.output || null,
            body.output ? body.output.state : undefined);
        if (!told && session) {
            this._sessions.stir(session.getUniqueValue()); // who typed waits to hear that it went in
        }
        session = body.output ? this._about(request) : null;
        if (session && body.output && body.output.nextCursor > Number(session.getValue('output_offset'))) {
            // Something before it is missing, as after a crash of the sidecar; the pump will bring both.
            this._pump(request).resume();
        }
    },

    _output: function (request, body) {
        this._sessions.news(this._about(request), body, body.state);
        this._pump(request).drain(request.getValue('session'), body);
    },

    _outputs: function (request, body) {
        this._pump(request).answered(request, body.sessions || {});
    },

    /**
     * A screen stands for all output up to its offset; when nobody watched, the instance goes on from
     * there.
     */
    _screen: function (request, body) {
        var id = request.getValue('session');
        if (this._pump(request).watches(id)) {
            this._sessions.news(this._about(request), null);
        } else {
            this._sessions.news(this._about(request),
                {data: '', nextCursor: body.offset, dropped: body.offset});
        }
    },

    _terminate: function (request) {
        this._sessions.news(this._about(request), null, 'terminated', 'idle');
    },

    _list: function (request, body) {
        new ClaudeTerminalRoll(request.getValue('user'), request.getValue('mid_name'),
            new ClaudeTerminalRequests().bridge(request)).reconcile(body, request.getValue('sys_created_on'));
    },

    _health: function (request, body) {
        this._mid(request).healthy(body, request.getValue('ecc_output'));
    },

    _sealingKey: function (request, body) {
        this._mid(request).key(body);
    },

    _credentialStored: function (request, body) {
        new ClaudeTerminalCredentials().stored(request.getValue('credential'), body);
    },

    _credentialDeleted: function (request) {
        new ClaudeTerminalCredentials().deleted(request.getValue('credential'));
    },

    // --- answers that are not ----------------------------------------------------------------------------

    _failed: function (request, answer) {
        var op = request.getValue('op');
        if (op === 'health') {
            this._mid(request).sick(answer.problem.detail);
        } else if (op === 'outputs') {
            this._pump(request).failed(request, answer);
        } else if (op === 'credential.store' || op === 'credential.delete') {
            new ClaudeTerminalCredentials().refused(request.getValue('credential'), op, answer);
        } else if (request.getValue('session')) {
            this._sessionFailed(request, answer);
        }
    },

    _sessionFailed: function (request, answer) {
        var session = this._about(request);
        var op = request.getValue('op');
        var told = session && (op === 'create' ? this._notCreated(session, answer) :
            this._refused(session, answer));
        if (session && !told && op === 'command') {
            this._sessions.stir(session.getUniqueValue());
        }
    },

    /** @returns {boolean} whether the session's row changed */
    _refused: function (session, answer) {
        if (answer.status === 404) {
            return this._sessions.forget(session);
        }
        if (answer.status === 409 && answer.problem.title === this.ENDED) {
            return this._sessions.over(session);
        }
        // Another 4xx concerns what was asked, not the session.
        return answer.status >= 500 && this._sessions.change(session, {problem: answer.problem.detail,
            reachable: answer.status !== 502 && answer.status !== 504});
    },

    /** After 504 it may exist: the sidecar is asked again by the watchdog. */
    _notCreated: function (session, answer) {
        var detail = answer.problem.title + ': ' + answer.problem.detail;
        return answer.status === 504 || !answer.final ?
            this._sessions.change(session, {problem: detail, reachable: false}) :
            this._sessions.fail(session, detail);
    },

    type: 'ClaudeTerminalEffect'
};
