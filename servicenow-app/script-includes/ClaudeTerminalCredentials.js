/**
 * Users' API keys, which only the sidecar can open. What the browser sealed waits here until the sidecar has
 * confirmed it; then only its id there, the last characters and the MID Server remain.
 */
var ClaudeTerminalCredentials = Class.create();

ClaudeTerminalCredentials.prototype = {
    JWE: /^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/,
    KID: /^[A-Za-z0-9_-]{43}$/,
    HINT: /^[\x21-\x7e]{1,4}$/,
    MOST: 20,

    initialize: function () {
        this._table = new ClaudeTerminalTable('credential');
        this._requests = new ClaudeTerminalRequests();
        this._audit = new ClaudeTerminalAudit();
    },

    /** @returns {Object[]} without what is sealed */
    list: function (user) {
        var credential = this._table.query({user: user});
        var found = [];
        credential.orderByDesc('sys_created_on');
        credential.setLimit(100);
        credential.query();
        while (credential.next()) {
            found.push(this.view(credential));
        }
        return found;
    },

    view: function (credential) {
        return {id: credential.getUniqueValue(), credentialId: credential.getValue('credential_id') || null,
            mid: credential.getValue('mid_name'), hint: credential.getValue('hint') || null,
            kid: credential.getValue('kid') || null, state: credential.getValue('state'),
            problem: credential.getValue('problem') || null,
            createdAt: new ClaudeTerminalClock().told(credential.getValue('sys_created_on'))};
    },

    /**
     * @param {string} user
     * @param {{mid: string, sealed: string, hint: string, kid: string, key: ?string}} wanted
     * @returns {{request: string, credential: string}}
     */
    store: function (user, wanted) {
        var asked = {op: 'credential.store', user: user, key: wanted.key};
        var repeated = this._requests.repeated(asked);
        var row;
        if (repeated) {
            return {request: repeated.getUniqueValue(), credential: repeated.getValue('credential')};
        }
        this._requests.demandRoom(user);
        this._allowed(user, wanted);
        row = this._table.insert({user: user, mid_name: wanted.mid, sealed: wanted.sealed, hint: wanted.hint,
            kid: wanted.kid, state: 'pending'});
        this._audit.write('credential.store', {user: user, mid: wanted.mid, detail: 'kid ' + wanted.kid});
        return {request: this._send(this._table.find({sys_id: row}), wanted.key), credential: row};
    },

    /** @param {GlideRecord} credential @returns {?string} the request's sys_id; null when none was needed */
    remove: function (credential, key) {
        var mid = credential.getValue('mid_name');
        var user = credential.getValue('user');
        var bridge = new ClaudeTerminalHosts().bridge(mid);
        if (credential.getValue('state') === 'failed') {
            // The sidecar has nothing of it; it only counts against the user's limit.
            this._audit.write('credential.delete', {user: user, mid: mid});
            credential.deleteRecord();
            return null;
        }
        if (!credential.getValue('credential_id')) {
            throw new ClaudeTerminalProblem(409, 'Not stored', 'The sidecar has not confirmed this key yet.');
        }
        new ClaudeTerminalReach().demand(mid, bridge);
        this._table.change(credential, {state: 'deleting', problem: ''});
        this._audit.write('credential.delete', {user: user, mid: mid});
        return this._requests.queue({op: 'credential.delete', user: user, mid: mid, key: key,
            bridge: bridge, credential: credential.getUniqueValue(),
            body: {credentialId: credential.getValue('credential_id')}});
    },

    /** The sidecar has it: the instance forgets what was sealed. */
    stored: function (sysId, body) {
        this._change(sysId, {credential_id: body.credentialId, hint: body.hint, sealed: '', state: 'stored',
            problem: ''});
    },

    deleted: function (sysId) {
        var credential = this._table.find({sys_id: sysId});
        if (credential) {
            credential.deleteRecord();
        }
    },

    /**
     * What the sidecar refused is of no use any more; what did not reach it is sent again when it is
     * healthy.
     */
    refused: function (sysId, op, answer) {
        if (op === 'credential.delete' && answer.status === 404) {
            this.deleted(sysId);
        } else if (op === 'credential.delete') {
            this._change(sysId, {state: 'stored', problem: answer.problem.detail});
        } else if (answer.status >= 500 || answer.status === 429) {
            this._change(sysId, {problem: answer.problem.detail});
        } else {
            this._change(sysId, {sealed: '', state: 'failed', problem: answer.problem.detail});
        }
    },

    /** Send what is still unconfirmed once more; the sidecar gives the same sealed key the same id. */
    resend: function (mid) {
        var credential = this._table.query({mid_name: mid, state: 'pending'});
        credential.addQuery('problem', '!=', '');
        credential.setLimit(20);
        credential.query();
        while (credential.next()) {
            this._send(this._table.find({sys_id: credential.getUniqueValue()}), null);
        }
    },

    /** @returns {boolean} whether the sealed key says itself that it was sealed to that key of a sidecar */
    _names: function (sealed, kid) {
        var header = sealed.substring(0, sealed.indexOf('.')).replace(/-/g, '+').replace(/_/g, '/');
        try {
            return JSON.parse(gs.base64Decode(header + '==='.substring((header.length + 3) % 4))).kid === kid;
        } catch (e) {
            return false;
        }
    },

    _allowed: function (user, wanted) {
        var pinned = new ClaudeTerminalSettings().sealingKeys();
        if (new ClaudeTerminalSettings().mids().indexOf(wanted.mid) < 0) {
            throw new ClaudeTerminalProblem(422, 'Unknown MID Server',
                'This MID Server is not set up for sessions.');
        }
        if (pinned.length && pinned.indexOf(wanted.kid) < 0) {
            throw new ClaudeTerminalProblem(422, 'Sealing key not allowed', 'The API key was sealed to a ' +
                'key that the administrator has not allowed (x_claude_terminal.sealing_keys).');
        }
        if (!this._names(wanted.sealed, wanted.kid)) {
            throw new ClaudeTerminalProblem(422, 'Another sealing key',
                'The API key was not sealed to the key that kid names.');
        }
        if (this.list(user).length >= this.MOST) {
            throw new ClaudeTerminalProblem(429, 'Too many keys', 'A user may store ' + this.MOST + ' keys.');
        }
        new ClaudeTerminalReach().demand(wanted.mid, new ClaudeTerminalSettings().bridge());
    },

    _send: function (credential, key) {
        var mid = credential.getValue('mid_name');
        this._table.change(credential, {problem: ''});
        return this._requests.queue({op: 'credential.store', user: credential.getValue('user'), key: key,
            mid: mid, bridge: new ClaudeTerminalHosts().bridge(mid),
            credential: credential.getUniqueValue(),
            body: {userId: credential.getValue('user'), sealed: credential.getValue('sealed')}});
    },

    _change: function (sysId, values) {
        var credential = this._table.find({sys_id: sysId});
        if (credential) {
            this._table.change(credential, values);
        }
    },

    type: 'ClaudeTerminalCredentials'
};
