/**
 * The instance with one session, its MID Server and its sidecar, as far as a page sees them. `plan` names what
 * goes wrong, in the order in which things happen; when it is used up, all goes well.
 */

var bytes = require('bytes');
var Sidecar = require('sidecar').Sidecar;

/** What may become of a page's call. */
var WAYS = ['well', 'lost', 'executed', 'twice', 'busy', 'gateway', 'slow'];
/** A row's way through the queue, and back again, in milliseconds. */
var DELAYS = [150, 20, 400, 900];
var PUSH_MS = 30;
var SLOW_MS = 700;

function Instance(timers, http) {
    this._timers = timers;
    this._http = http;
    this._watchers = [];
    this._keys = {};
    this._sidecar = new Sidecar(timers);
    /** Numbers: each call takes the next one, and so does each row of `delays`. */
    this.plan = [];
    this.delays = [];
    this.session = {id: 's-1', sysId: 'a1', state: 'running', activity: 'idle', columns: 120, rows: 40,
        reachable: true, problem: null, writer: null, seconds: 60};
    this.pushes = true;
    this.mid = 'up'; // or down: the instance queues nothing
    this.sidecar = 'up'; // or down: rows come back failed
    this.signedIn = true;
    this.rows = 0;
    this.output = []; // the bytes the program printed, from offset 0 on
    this.kept = 0; // offset of the first byte that the instance still has
    this.seq = 0;
    this.requests = {};
    this.screen = null; // what a screen call gives; null: a picture of all output
}

Instance.prototype = {
    // --- for tests ---------------------------------------------------------------------------------------

    /** Print bytes, or a text in ASCII. */
    print: function (what) {
        var list = typeof what === 'string' ? what.split('').map(function (character) {
            return character.charCodeAt(0);
        }) : what;
        this.output = this.output.concat(list);
        this.change({});
    },

    /** Change columns of the session's row; whoever watches it hears of it. */
    change: function (values) {
        var seq = ++this.seq;
        Object.keys(values).forEach(function (name) {
            this.session[name] = values[name];
        }, this);
        if (this.pushes) {
            this._timers.after(PUSH_MS, this._tell.bind(this, seq));
        }
    },

    /** @returns {number[]} what was typed into the program */
    program: function () {
        return this._sidecar.program;
    },

    restartSidecar: function () {
        this._sidecar.forget();
    },

    watch: function (table, filter, fn) {
        var watchers = this._watchers;
        watchers.push(fn);
        return function () {
            watchers.splice(watchers.indexOf(fn), 1);
        };
    },

    /** @returns {Object} the session as the REST interface gives it */
    row: function () {
        var session = this.session;
        return {sessionId: session.id, sysId: session.sysId, state: session.state, activity: session.activity,
            columns: session.columns, rows: session.rows, outputOffset: this.output.length,
            outputSeq: this.seq, reachable: session.reachable, problem: session.problem, mid: 'mid-a'};
    },

    // --- calls -------------------------------------------------------------------------------------------

    serve: function (call) {
        var way = WAYS[this._next('plan') % WAYS.length];
        var answer;
        if (!this.signedIn) {
            return {status: 401, data: {error: {message: 'User Not Authenticated', detail: null}}};
        }
        if (way === 'busy') {
            return {status: 429, headers: {'Retry-After': '1'},
                data: {error: {message: 'Rate limit exceeded'}}};
        }
        if (way === 'lost') {
            return {status: -1};
        }
        answer = this._route(call);
        return this._back(way, way === 'twice' ? this._route(call) : answer);
    },

    _next: function (list) {
        return this[list].length ? this[list].shift() : 0;
    },

    _back: function (way, answer) {
        if (way === 'executed') {
            return {status: -1};
        }
        if (way === 'gateway') {
            return this._http.page(502);
        }
        if (way === 'slow') {
            return {status: answer.status || 200, data: answer.status ? answer.data : {result: answer},
                after: SLOW_MS};
        }
        return answer;
    },

    _route: function (call) {
        var path = call.path.split('?')[0];
        var mine = '/sessions/' + this.session.id + '/';
        if (path === mine + 'output') {
            return this._read(parameters(call.path));
        }
        if (path === mine + 'viewers') {
            return this._viewed(call.body);
        }
        if (path.indexOf('/requests/') === 0) {
            return this._asked(path.substring('/requests/'.length));
        }
        return path.indexOf(mine) === 0 ? this._posted(path.split('/').pop(), call.body) :
            this._http.problem(404, 'Not found', 'There is no such session.');
    },

    _asked: function (id) {
        var request = this.requests[id];
        return request ?
            {id: id, state: request.state, body: request.body, problem: request.problem || null} :
            this._http.problem(404, 'Not found', 'There is no such request.');
    },

    _read: function (query) {
        var session = this.session;
        var cursor = Number(query.cursor);
        var from = Math.max(cursor, this.kept);
        var to = Math.max(from, Math.min(this.output.length, from + Number(query.max_bytes)));
        return {data: bytes.encoded(this.output.slice(from, to)), encoding: 'base64', cursor: cursor,
            nextCursor: to, dropped: from - cursor, state: session.state, activity: session.activity,
            outputSeq: this.seq, columns: session.columns, rows: session.rows, reachable: session.reachable,
            problem: session.problem, writer: session.writer, input: this._settled(query)};
    },

    _settled: function (query) {
        return Object.keys(this.requests).map(function (id) {
            return this.requests[id];
        }, this).filter(function (request) {
            return request.stream && request.stream === query.stream && request.state !== 'queued' &&
                request.seq > Number(query.after);
        }).sort(function (a, b) {
            return a.seq - b.seq;
        }).slice(0, 20).map(function (request) {
            return {seq: request.seq, request: request.id, state: request.state,
                problem: request.problem || null};
        });
    },

    _viewed: function (body) {
        var session = this.session;
        var before = session.writer;
        if (!body.tab) {
            return {seconds: session.seconds, writer: null};
        }
        if (body.release) {
            session.writer = session.writer === body.tab ? null : session.writer;
        } else if (body.take || !session.writer) {
            session.writer = body.tab;
        }
        if (before !== session.writer) {
            this.change({});
        }
        return {seconds: session.seconds, writer: session.writer};
    },

    _posted: function (op, body) {
        var writer = this.session.writer;
        if (this._keys[body.key]) {
            return accepted(this._keys[body.key]);
        }
        if (this.mid !== 'up') {
            return this._http.problem(503, 'MID Server not available', 'The MID Server mid-a is down.');
        }
        if (op === 'commands' && (this.session.state === 'terminated' || writer && writer !== body.stream)) {
            return this._http.problem(409, writer ? 'Another tab writes' : 'Session ended', 'It is so.');
        }
        return accepted(this._queue(op, body));
    },

    // --- the queue and the sidecar -----------------------------------------------------------------------

    _queue: function (op, body) {
        var request = {id: 'r-' + (++this.rows), op: op, state: 'queued', seq: body.seq,
            stream: op === 'commands' ? body.stream : null};
        var delay = DELAYS[this._next('delays') % DELAYS.length];
        var settle = function (problem, answer) {
            this._timers.after(delay, this._settle.bind(this, request, problem, answer));
        }.bind(this);
        this._keys[body.key] = request;
        this.requests[request.id] = request;
        this._timers.after(delay, this._arrive.bind(this, op, body, settle));
        return request;
    },

    _settle: function (request, problem, answer) {
        request.state = problem ? 'failed' : 'done';
        request.problem = problem;
        request.body = answer;
        this.change({});
    },

    _arrive: function (op, body, answer) {
        if (this.sidecar !== 'up') {
            answer({status: 502, title: 'Sidecar unreachable', detail: 'Nothing listens there.'});
        } else if (op === 'commands') {
            this._sidecar.command(body, answer);
        } else if (op === 'screen') {
            answer(null, this.screen || {ansi: 'PICTURE of ' + this.output.length, offset: this.output.length,
                columns: this.session.columns, rows: this.session.rows});
        } else {
            this.change({columns: body.columns, rows: body.rows});
            answer(null, {});
        }
    },

    _tell: function (seq) {
        this._watchers.slice().forEach(function (fn) {
            fn({data: {operation: 'update', changes: ['output_seq'],
                record: {output_seq: {display_value: String(seq), value: String(seq)}}}});
        });
    }
};

function accepted(request) {
    return {status: 202, data: {result: {request: request.id, session: 's-1'}}};
}

function parameters(path) {
    var given = {};
    path.split('?')[1].split('&').forEach(function (pair) {
        given[pair.split('=')[0]] = pair.split('=')[1];
    });
    return given;
}

exports.make = function (page) {
    var made = new Instance(page.timers, page.http);
    page.http.serve = made.serve.bind(made);
    return made;
};
