/**
 * The instance with one session, its MID Server and its sidecar, as far as a page sees them. `plan` names what goes
 * wrong, in the order in which things happen; when it is used up, all goes well.
 */

var GAP_MS = 2000;

/** A page's calls: what may become of one. */
var WAYS = ['well', 'lost', 'executed', 'twice', 'busy', 'gateway', 'slow'];
/** A row's way through the queue and back, in milliseconds. */
var DELAYS = [150, 20, 400, 900];

exports.make = function (page) {
    var timers = page.timers;
    var http = page.http;
    var watchers = [];
    var it = {
        plan: [], // numbers; each call takes the next one
        delays: [], // numbers; each row takes the next one
        session: {id: 's-1', sysId: 'a1', state: 'running', activity: 'idle', columns: 120, rows: 40,
            reachable: true, problem: null, writer: null, seconds: 60},
        pushes: true,
        mid: 'up', // or down: the instance queues nothing
        sidecar: 'up', // or down: rows come back failed
        signedIn: true,
        rows: 0,
        program: [], // the bytes that were typed into it
        output: [], // the bytes it printed, from offset 0 on
        kept: 0, // offset of the first byte that the instance still has
        seq: 0,
        requests: {},
        screen: null, // what a screen call gives; null: a picture of all output
        serve: serve,
        print: print,
        change: change,
        row: row,
        watch: watch
    };
    var keys = {};
    var stream = {};

    http.serve = serve;
    return it;

    function taken(list) {
        return it[list].length ? it[list].shift() : 0;
    }

    function serve(call) {
        var way = WAYS[taken('plan') % WAYS.length];
        if (!it.signedIn) {
            return {status: 401, data: {error: {message: 'User Not Authenticated', detail: null}}};
        }
        if (way === 'busy') {
            return {status: 429, headers: {'Retry-After': '1'}, data: {error: {message: 'Rate limit exceeded'}}};
        }
        if (way === 'lost') {
            return {status: -1};
        }
        return through(way, call);
    }

    function through(way, call) {
        var answer = route(call);
        if (way === 'twice') {
            answer = route(call);
        }
        if (way === 'executed') {
            return {status: -1};
        }
        if (way === 'gateway') {
            return http.page(502);
        }
        return way === 'slow' ? {status: 200, data: {result: answer}, after: 700} : answer;
    }

    function route(call) {
        var path = call.path.split('?')[0];
        if (path === '/sessions/' + it.session.id + '/output') {
            return read(parameters(call.path));
        }
        if (path === '/sessions/' + it.session.id + '/viewers') {
            return viewed(call.body);
        }
        if (path.indexOf('/requests/') === 0) {
            return asked(path.substring('/requests/'.length));
        }
        if (call.method === 'POST' && path.indexOf('/sessions/' + it.session.id + '/') === 0) {
            return posted(path.split('/').pop(), call.body);
        }
        return http.problem(404, 'Not found', 'There is no such session.');
    }

    function parameters(path) {
        var given = {};
        path.split('?')[1].split('&').forEach(function (pair) {
            given[pair.split('=')[0]] = pair.split('=')[1];
        });
        return given;
    }

    function asked(id) {
        var request = it.requests[id];
        return request ? {id: id, state: request.state, body: request.body, problem: request.problem || null} :
            http.problem(404, 'Not found', 'There is no such request.');
    }

    // --- what is read ------------------------------------------------------------------------------------

    function read(query) {
        var cursor = Number(query.cursor);
        var from = Math.max(cursor, it.kept);
        var to = Math.max(from, Math.min(it.output.length, from + Number(query.max_bytes)));
        return {data: base64(it.output.slice(from, to)), encoding: 'base64', cursor: cursor,
            nextCursor: Math.max(to, cursor), dropped: from - cursor, state: it.session.state,
            activity: it.session.activity, outputSeq: it.seq, columns: it.session.columns, rows: it.session.rows,
            reachable: it.session.reachable, problem: it.session.problem, writer: it.session.writer,
            input: settled(query)};
    }

    function settled(query) {
        return Object.keys(it.requests).map(function (id) {
            return it.requests[id];
        }).filter(function (request) {
            return request.stream && request.stream === query.stream && request.state !== 'queued' &&
                request.seq > Number(query.after);
        }).sort(function (a, b) {
            return a.seq - b.seq;
        }).slice(0, 20).map(function (request) {
            return {seq: request.seq, request: request.id, state: request.state, status: null,
                problem: request.problem || null};
        });
    }

    function viewed(body) {
        var session = it.session;
        if (body.release) {
            session.writer = session.writer === body.tab ? null : session.writer;
        } else if (body.take || !session.writer) {
            session.writer = body.tab;
        }
        change({});
        return {seconds: session.seconds, writer: session.writer};
    }

    // --- what is done ------------------------------------------------------------------------------------

    function posted(op, body) {
        if (keys[body.key]) {
            return accepted(keys[body.key]);
        }
        if (it.mid !== 'up') {
            return http.problem(503, 'MID Server not available', 'The MID Server mid-a is down.');
        }
        if (op === 'commands' && it.session.writer && it.session.writer !== body.stream) {
            return http.problem(409, 'Another tab writes', 'Another tab of yours types into this session.');
        }
        return accepted(queue(op, body));
    }

    function accepted(request) {
        return {status: 202, data: {result: {request: request.id, session: it.session.id}}};
    }

    function queue(op, body) {
        var request = {id: 'r-' + (++it.rows), state: 'queued', stream: op === 'commands' ? body.stream : null,
            seq: body.seq};
        var delay = DELAYS[taken('delays') % DELAYS.length];
        keys[body.key] = request;
        it.requests[request.id] = request;
        timers.after(delay, function () {
            arrive(op, body, function (problem, answer) {
                timers.after(delay, function () {
                    request.state = problem ? 'failed' : 'done';
                    request.problem = problem;
                    request.body = answer;
                    change({});
                });
            });
        });
        return request;
    }

    function arrive(op, body, answer) {
        if (it.sidecar !== 'up') {
            answer({status: 502, title: 'Sidecar unreachable', detail: 'Nothing listens there.'});
        } else if (op === 'commands') {
            command(body, answer);
        } else if (op === 'screen') {
            answer(null, it.screen || {ansi: 'PICTURE', columns: it.session.columns, rows: it.session.rows,
                offset: it.output.length});
        } else {
            change({columns: body.columns, rows: body.rows});
            answer(null, {});
        }
    }

    // --- the sidecar's order of numbers ------------------------------------------------------------------

    function numbered(name) {
        stream[name] = stream[name] || {last: 0, missed: {}, waiting: []};
        return stream[name];
    }

    function command(body, answer) {
        var line = numbered(body.stream);
        if (line.missed[body.seq]) {
            answer({status: 409, title: 'Out of order', detail: 'It came too late.'});
        } else if (body.seq <= line.last) {
            answer(null, {accepted: true});
        } else {
            line.waiting.push({seq: body.seq, command: body.command, answer: answer});
            advance(line);
            timers.after(GAP_MS, function () {
                giveUp(line, body.seq);
            });
        }
    }

    function advance(line) {
        var next = line.waiting.filter(function (one) {
            return one.seq <= line.last + 1;
        })[0];
        if (next) {
            line.waiting.splice(line.waiting.indexOf(next), 1);
            if (next.seq > line.last) {
                line.last = next.seq;
                it.program = it.program.concat(bytes(next.command));
            }
            next.answer(null, {accepted: true});
            advance(line);
        }
    }

    function giveUp(line, seq) {
        var i;
        var waits = line.waiting.some(function (one) {
            return one.seq === seq;
        });
        var lowest = line.waiting.every(function (one) {
            return one.seq >= seq;
        });
        if (waits && lowest) {
            for (i = line.last + 1; i < seq; i++) {
                line.missed[i] = true;
            }
            line.last = seq - 1;
            advance(line);
        }
    }

    // --- what is new -------------------------------------------------------------------------------------

    /** Print bytes, or a text in ASCII. */
    function print(what) {
        var list = typeof what === 'string' ? what.split('').map(function (character) {
            return character.charCodeAt(0);
        }) : what;
        it.output = it.output.concat(list);
        change({});
    }

    function change(values) {
        Object.keys(values).forEach(function (name) {
            it.session[name] = values[name];
        });
        it.seq += 1;
        var seq = it.seq;
        if (it.pushes) {
            timers.after(30, function () {
                tell(seq);
            });
        }
    }

    function tell(seq) {
        watchers.forEach(function (fn) {
            fn({data: {operation: 'update', changes: ['output_seq'],
                record: {output_seq: {display_value: String(seq), value: String(seq)}}}});
        });
    }

    function watch(table, filter, fn) {
        it.watched = table + '?' + filter;
        watchers.push(fn);
        return function () {
            watchers.splice(watchers.indexOf(fn), 1);
        };
    }

    /** @returns {Object} the session as the REST interface gives it */
    function row() {
        var session = it.session;
        return {sessionId: session.id, sysId: session.sysId, state: session.state, activity: session.activity,
            columns: session.columns, rows: session.rows, outputOffset: it.output.length, outputSeq: it.seq,
            reachable: session.reachable, problem: session.problem, mid: 'mid-a'};
    }
};

function base64(list) {
    var array = java.lang.reflect.Array.newInstance(java.lang.Byte.TYPE, list.length);
    list.forEach(function (value, i) {
        array[i] = value > 127 ? value - 256 : value;
    });
    return String(java.util.Base64.getEncoder().encodeToString(array));
}

function bytes(text) {
    var array = java.util.Base64.getDecoder().decode(text);
    var list = [];
    var i;
    for (i = 0; i < array.length; i++) {
        list.push(array[i] & 255);
    }
    return list;
}

exports.base64 = base64;
