/**
 * Runs on the MID Server: turns one ECC queue row into one HTTP call to the sidecar beside it.
 *
 * The row's script is `new ClaudeTerminalProbe().execute();` and the string that returns becomes the row's
 * `<output>`: base64 of JSON, because XML 1.0 cannot carry ESC.
 *
 * ES5 without other MID Script Includes, so that it needs nothing but this file. Values of `probe` and `ms`
 * are Java strings (typeof says object, === is false), so each is converted with '' + before it is used.
 *
 * @typedef {Object} Operation
 * @property {string} method GET, POST or DELETE
 * @property {string} path with {session}, or {id} for the body's credentialId
 * @property {string[]} query names of the body that become parameters of the URL
 * @property {string[]} body names of the body that become the JSON sent; a name in neither list is refused
 * @property {boolean} user whether the call acts for a user, who is named in X-User-ID
 * @property {number} timeoutMs how long the answer may take beyond what the body itself asks to wait
 * @property {string[]} [spare] names of an answer that are left out when it is too large with them
 *
 * @typedef {Object} Answer
 * @property {number} v version of this form: 1
 * @property {boolean} ok
 * @property {number} status the sidecar's; or 502 not reachable, 504 too late, 422 bad row, 500 else
 * @property {Object} [body] what the sidecar answered
 * @property {{title: string, status: number, detail: string, retryAfter: number=}} [problem] when not ok
 */
var ClaudeTerminalProbe = Class.create();

ClaudeTerminalProbe.VERSION = 1;

/** The one table of operations. @type {Object.<string, Operation>} */
ClaudeTerminalProbe.OPERATIONS = {
    'create': {
        method: 'POST', path: '/api/session/create', query: [],
        body: ['userId', 'credentials', 'workspaceType', 'workspaceName', 'sessionId', 'columns', 'rows',
            'model', 'renderer', 'waitMs'],
        user: true, timeoutMs: 30000
    },
    'command': {
        method: 'POST', path: '/api/session/{session}/command', query: [],
        body: ['command', 'mode', 'waitMs', 'maxBytes', 'encoding', 'pump', 'stream', 'seq'],
        user: true, timeoutMs: 30000
    },
    'output': {
        method: 'GET', path: '/api/session/{session}/output',
        query: ['cursor', 'wait', 'maxBytes', 'encoding'], body: [], user: true, timeoutMs: 15000
    },
    'outputs': {
        method: 'POST', path: '/api/outputs', query: [], body: ['pump', 'wait', 'maxBytes', 'cursors'],
        user: false, timeoutMs: 10000
    },
    'screen': {
        method: 'GET', path: '/api/session/{session}/screen', query: [], body: [],
        user: true, timeoutMs: 15000, spare: ['lines'] // `ansi` holds the same text
    },
    'status': {
        method: 'GET', path: '/api/session/{session}/status', query: [], body: [],
        user: true, timeoutMs: 15000
    },
    'resize': {
        method: 'POST', path: '/api/session/{session}/resize', query: [], body: ['columns', 'rows'],
        user: true, timeoutMs: 15000
    },
    'terminate': {
        method: 'DELETE', path: '/api/session/{session}', query: [], body: [], user: true, timeoutMs: 30000
    },
    'list': {
        method: 'GET', path: '/api/sessions', query: ['limit', 'offset', 'state'], body: [],
        user: true, timeoutMs: 15000
    },
    'health': {
        method: 'GET', path: '/health', query: [], body: [], user: false, timeoutMs: 10000
    },
    'sealing_key': {
        method: 'GET', path: '/api/credentials/key', query: [], body: [], user: false, timeoutMs: 10000
    },
    'credential.store': {
        method: 'POST', path: '/api/credentials', query: [], body: ['userId', 'sealed'],
        user: true, timeoutMs: 15000
    },
    'credential.delete': {
        method: 'DELETE', path: '/api/credentials/{id}', query: [], body: [], user: true, timeoutMs: 15000
    }
};

ClaudeTerminalProbe.prototype = {
    DEFAULT_URL: 'http://127.0.0.1:3000',
    CONNECT_MS: 5000,
    MAX_TOKEN_BYTES: 4096,
    MAX_OUTPUT_BYTES: 65536, // twice in base64 that is 117 KB
    MAX_READ_BYTES: 1048576,
    MAX_ANSWER_CHARS: 131072, // far below what the MID discards and what the instance makes an attachment

    URL: /^(https?):\/\/(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?((?:\/[A-Za-z0-9._~-]+)*)\/?$/,
    UUID: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
    USER: /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/,
    KEY: /^[A-Za-z0-9._-]{1,64}$/,

    /** Called by every class of Class.create, which fails without one. */
    initialize: function () {
        this._doubt = ''; // what has to be said when no answer comes
    },

    /** Does what the row asks. @returns {string} base64 of an {@link Answer} as JSON; it never throws */
    execute: function () {
        var answer;
        try {
            answer = this._answer();
        } catch (e) {
            answer = this._failure(e);
        }
        return this._encode(answer);
    },

    _answer: function () {
        var call = this._call();
        return this._read(this._open(call), call);
    },

    // --- what the row asks -------------------------------------------------------------------------------

    /** Everything is checked before anything is opened, so that a bad row does not reach the sidecar. */
    _call: function () {
        var operation = this._operation();
        var body = this._body();
        this._refuseUnknown(body, operation);
        this._limitOutput(body, operation);
        return {
            operation: operation,
            url: this._base() + this._path(operation, body) + this._query(operation, body),
            headers: this._headers(operation),
            sent: operation.body.length ? JSON.stringify(this._pick(body, operation.body)) : null,
            readMs: operation.timeoutMs + (Number(body.waitMs) || 0) + (Number(body.wait) || 0) * 1000
        };
    },

    _operation: function () {
        var op = this._parameter('op');
        if (this._parameter('v') !== String(ClaudeTerminalProbe.VERSION)) {
            this._refuse('v must be ' + ClaudeTerminalProbe.VERSION +
                ': the app and the MID Script Include have different versions.');
        }
        if (!Object.prototype.hasOwnProperty.call(ClaudeTerminalProbe.OPERATIONS, op)) {
            this._refuse('op is not one of the operations of this MID Script Include.');
        }
        return ClaudeTerminalProbe.OPERATIONS[op];
    },

    /** @returns {string} '' also for a parameter that is not there: null on some hosts */
    _parameter: function (name) {
        var value = probe.getParameter(name);
        return value == null ? '' : '' + value;
    },

    _body: function () {
        var text = this._parameter('body');
        var body;
        if (text === '') {
            return {};
        }
        try {
            body = JSON.parse(this._decode(text));
        } catch (e) {
            this._refuse('body is not the base64 of JSON.');
        }
        if (Object.prototype.toString.call(body) !== '[object Object]') {
            this._refuse('body is not a JSON object.');
        }
        return body;
    },

    _refuseUnknown: function (body, operation) {
        var known = operation.query.concat(operation.body);
        var name;
        if (operation.path.indexOf('{id}') >= 0) {
            known.push('credentialId');
        }
        for (name in body) {
            if (known.indexOf(name) < 0) {
                this._refuse('body has a field that this operation does not know.');
            }
        }
    },

    _limitOutput: function (body, operation) {
        var known = operation.query.concat(operation.body);
        if (known.indexOf('maxBytes') >= 0) {
            body.maxBytes = Math.min(Number(body.maxBytes) || this.MAX_OUTPUT_BYTES, this.MAX_OUTPUT_BYTES);
        }
    },

    _path: function (operation, body) {
        var path = operation.path;
        if (path.indexOf('{session}') >= 0) {
            path = path.replace('{session}', this._uuid('session', this._parameter('session')));
        }
        if (path.indexOf('{id}') >= 0) {
            path = path.replace('{id}', this._uuid('credentialId', String(body.credentialId)));
        }
        return path;
    },

    _uuid: function (name, value) {
        if (!this.UUID.test(value)) {
            this._refuse(name + ' is not a UUID.');
        }
        return encodeURIComponent(value);
    },

    _query: function (operation, body) {
        var given = this._pick(body, operation.query);
        var pairs = [];
        var name;
        for (name in given) {
            if (typeof given[name] === 'object') {
                this._refuse(name + ' is not a plain value.');
            }
            pairs.push(encodeURIComponent(name) + '=' + encodeURIComponent(given[name]));
        }
        return pairs.length ? '?' + pairs.join('&') : '';
    },

    /** In the order of `names`: the sidecar compares a repeated body byte by byte. */
    _pick: function (body, names) {
        var picked = {};
        var i;
        for (i = 0; i < names.length; i++) {
            if (body[names[i]] !== undefined && body[names[i]] !== null) {
                picked[names[i]] = body[names[i]];
            }
        }
        return picked;
    },

    _headers: function (operation) {
        // A connection that was kept may die under the next POST.
        var headers = {'Accept': 'application/json', 'Connection': 'close'};
        var key = this._parameter('key');
        headers.Authorization = 'Bearer ' + this._token();
        if (operation.user) {
            headers['X-User-ID'] = this._matching('user', this._parameter('user'), this.USER);
        }
        // A row can be delivered twice; the key lets the sidecar do it once. The one POST that needs none is
        // the pump's, which acts for no user.
        if (key !== '' || (operation.method !== 'GET' && operation.user)) {
            headers['Idempotency-Key'] = this._matching('key', key, this.KEY);
            headers['X-Request-ID'] = key;
        }
        return headers;
    },

    _matching: function (name, value, pattern) {
        if (!pattern.test(value)) {
            this._refuse(name + ' is missing or malformed.');
        }
        return value;
    },

    // --- the MID Server's configuration ------------------------------------------------------------------

    _setting: function (name) {
        var value = ms.getConfigParameter(name);
        return value == null ? '' : ('' + value).trim();
    },

    /** @returns {string} the sidecar's address without a slash at its end; no message repeats what was set */
    _base: function () {
        var text = this._setting('mid.claude.sidecar.url') || this.DEFAULT_URL;
        var match = this.URL.exec(text);
        if (!match) {
            this._misconfigured('mid.claude.sidecar.url is not an address like ' + this.DEFAULT_URL + '.');
        }
        if (match[1] === 'http' && !this._isLoopback(match[2])) {
            this._misconfigured('mid.claude.sidecar.url leads to another host and must begin with https://.');
        }
        return match[1] + '://' + match[2] + (match[3] || '') + match[4];
    },

    _isLoopback: function (host) {
        return host === 'localhost' || host === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(host);
    },

    _token: function () {
        var path = this._setting('mid.claude.sidecar.token_file');
        var token = path !== '' ? this._tokenOfFile(path) : this._setting('mid.claude.sidecar.token');
        if (token === '') {
            this._misconfigured(path !== '' ? 'The file that mid.claude.sidecar.token_file names is empty.' :
                'Neither mid.claude.sidecar.token_file nor mid.claude.sidecar.token is set.');
        }
        if (!/^[\x21-\x7e]+$/.test(token)) {
            this._misconfigured('The sidecar token is not one line of visible ASCII characters.');
        }
        return token;
    },

    _tokenOfFile: function (path) {
        var file = new Packages.java.io.File(path);
        // The size first: a wrong path may name something endless.
        if (!file.isFile() || Number(file.length()) > this.MAX_TOKEN_BYTES) {
            this._misconfigured('What mid.claude.sidecar.token_file names is not a file of at most ' +
                this.MAX_TOKEN_BYTES + ' bytes.');
        }
        try {
            return this._text(Packages.java.nio.file.Files.readAllBytes(file.toPath())).trim();
        } catch (e) {
            return this._misconfigured('The file that mid.claude.sidecar.token_file names cannot be read: ' +
                this._kind(e) + '.');
        }
    },

    // --- the call ----------------------------------------------------------------------------------------

    /** @returns the connection, with the request sent */
    _open: function (call) {
        var net = Packages.java.net;
        // NO_PROXY: the token must not pass the proxy that the MID uses for the instance.
        var connection = new net.URL(call.url).openConnection(net.Proxy.NO_PROXY);
        var name;
        connection.setRequestMethod(call.operation.method);
        connection.setConnectTimeout(this.CONNECT_MS);
        connection.setReadTimeout(call.readMs);
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        for (name in call.headers) {
            connection.setRequestProperty(name, call.headers[name]);
        }
        if (call.sent !== null) {
            this._send(connection, this._bytes(call.sent), call.operation);
        }
        return connection;
    },

    _send: function (connection, bytes, operation) {
        var stream;
        connection.setRequestProperty('Content-Type', 'application/json');
        connection.setDoOutput(true);
        // Without a fixed length Java sends a POST again, silently, when its answer does not come.
        connection.setFixedLengthStreamingMode(Packages.java.lang.reflect.Array.getLength(bytes));
        stream = connection.getOutputStream();
        this._doubt = operation.user ? ' Whether it was done is not known.' : '';
        try {
            stream.write(bytes);
        } finally {
            stream.close();
        }
    },

    _read: function (connection, call) {
        var status, text;
        try {
            status = Number(connection.getResponseCode());
            // getInputStream() throws from 400 on.
            text = this._drain(status < 400 ? connection.getInputStream() : connection.getErrorStream());
            return this._interpreted(status, text, connection, call.operation);
        } finally {
            connection.disconnect();
        }
    },

    _drain: function (stream) {
        var bytes;
        if (stream === null) {
            return '';
        }
        try {
            bytes = stream.readNBytes(this.MAX_READ_BYTES + 1);
        } finally {
            stream.close();
        }
        if (Packages.java.lang.reflect.Array.getLength(bytes) > this.MAX_READ_BYTES) {
            this._stop(502, 'Answer too large', 'The sidecar answered with more than ' + this.MAX_READ_BYTES +
                ' bytes.');
        }
        return this._text(bytes);
    },

    _interpreted: function (status, text, connection, operation) {
        var body = null;
        if (status === 401) { // of a body sent with a fixed length Java does not even give the answer
            this._stop(401, 'Token refused', 'The MID Server\'s token is not the sidecar\'s API_AUTH_TOKEN.');
        }
        try {
            body = JSON.parse(text);
        } catch (e) {
            // Told below: what answers without JSON is not the sidecar.
        }
        if (body === null || typeof body !== 'object' || status < 200 || (status >= 300 && status < 400)) {
            this._stop(502, 'Unexpected answer', 'What answers at mid.claude.sidecar.url with HTTP status ' +
                status + ' is not the sidecar.');
        }
        if (status >= 400) {
            return this._refused(status, body, connection.getHeaderField('Retry-After'));
        }
        return this._fitting({v: ClaudeTerminalProbe.VERSION, ok: true, status: status, body: body},
            operation);
    },

    _refused: function (status, body, retryAfter) {
        var problem = this._pick(body, ['type', 'title', 'status', 'detail', 'errors']);
        if (retryAfter !== null && /^[0-9]{1,6}$/.test('' + retryAfter)) {
            problem.retryAfter = Number('' + retryAfter);
        }
        problem.status = status;
        problem.title = problem.title || (body.checks ? 'Sidecar not healthy' : 'Refused by the sidecar');
        problem.detail = problem.detail || this._health(body) || 'HTTP status ' + status + '.';
        return {v: ClaudeTerminalProbe.VERSION, ok: false, status: status, problem: problem};
    },

    /** @returns {string} what is wrong: a sidecar that cannot serve answers its health, not a problem */
    _health: function (body) {
        var checks = body.checks || {};
        var faults = Object.keys(checks).filter(function (name) {
            return !checks[name].ok;
        }).map(function (name) {
            return name + ': ' + checks[name].detail;
        });
        return faults.join('; ') || (body.checks ? 'It is ' + body.status + '.' : '');
    },

    /** @returns {Answer} the same, smaller or a problem: an answer that is too long would be thrown away */
    _fitting: function (answer, operation) {
        var spare = operation.spare || [];
        var i;
        for (i = 0; i < spare.length && this._encode(answer).length > this.MAX_ANSWER_CHARS; i++) {
            delete answer.body[spare[i]];
        }
        if (this._encode(answer).length > this.MAX_ANSWER_CHARS) {
            this._stop(502, 'Answer too large', 'The answer does not fit into one row of the ECC queue.');
        }
        return answer;
    },

    // --- what can go wrong -------------------------------------------------------------------------------

    _stop: function (status, title, detail) {
        throw {problem: {title: title, status: status, detail: detail}};
    },

    _refuse: function (detail) {
        this._stop(422, 'Bad request', detail);
    },

    _misconfigured: function (detail) {
        this._stop(500, 'MID Server not configured', detail);
    },

    /** @returns {Answer} for anything that was thrown; no message of an exception is passed on */
    _failure: function (e) {
        var problem = e && e.problem ? e.problem : this._problemOf(e);
        return {v: ClaudeTerminalProbe.VERSION, ok: false, status: problem.status, problem: problem};
    },

    _problemOf: function (e) {
        var java = Packages.java;
        var cause = e && e.javaException;
        if (cause instanceof java.net.SocketTimeoutException) {
            return {title: 'Sidecar timed out', status: 504, detail: 'The sidecar did not answer in time.' +
                this._doubt};
        }
        if (cause instanceof java.io.IOException && this._doubt) {
            return {title: 'Connection to the sidecar lost', status: 504, detail:
                'The connection broke before the sidecar answered: ' + this._kind(e) + '.' + this._doubt};
        }
        if (cause instanceof java.io.IOException) {
            return {title: 'Sidecar not reachable', status: 502, detail:
                'The MID Server did not reach the sidecar (mid.claude.sidecar.url): ' + this._kind(e) + '.'};
        }
        return {title: 'Probe failed', status: 500, detail:
            'The MID Script Include ClaudeTerminalProbe failed: ' + this._kind(e) + '.'};
    },

    /** @returns {string} the name of an exception's class, and for our own code its line; never its text */
    _kind: function (e) {
        if (e && e.javaException) {
            return '' + e.javaException.getClass().getSimpleName();
        }
        return e && e.name ? e.name + (e.lineNumber ? ' in line ' + e.lineNumber : '') : 'unknown error';
    },

    // --- text and bytes ----------------------------------------------------------------------------------

    _encode: function (answer) {
        var bytes = this._bytes(JSON.stringify(answer));
        return '' + Packages.java.util.Base64.getEncoder().encodeToString(bytes);
    },

    _decode: function (text) {
        return this._text(Packages.java.util.Base64.getDecoder().decode(text));
    },

    _bytes: function (text) {
        return new Packages.java.lang.String(text).getBytes('UTF-8');
    },

    _text: function (bytes) {
        return '' + new Packages.java.lang.String(bytes, 'UTF-8');
    },

    type: 'ClaudeTerminalProbe'
};
