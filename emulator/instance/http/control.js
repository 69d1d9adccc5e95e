/**
 * The emulator's own endpoints, which no instance has: what an administrator would do in the user interface.
 */

var web = require('http/exchange');

var LOG_LINES = 500;
var UPDATE_SET_BYTES = 64 * 1024 * 1024;

/**
 * @param {Object} platform
 * @param {Object} parts what the endpoints work on: {signIn, faults, updateSets, stop, restart}
 */
exports.Control = function (platform, parts) {
    this._platform = platform;
    this._parts = parts;
    this._routes = routes(this);
};

exports.Control.prototype = {
    takes: function (exchange) {
        return exchange.path.indexOf('/emulator/') === 0;
    },

    handle: function (exchange) {
        var visitor = this._parts.signIn.require(exchange);
        var route = this._route(exchange);
        if (visitor.user.roles.indexOf('admin') < 0) {
            throw new web.Refusal(403, 'Forbidden', 'These endpoints are for administrators');
        }
        exchange.json(200, route.run(exchange, visitor, route.found));
    },

    _route: function (exchange) {
        var wish = exchange.method + ' ' + exchange.path.replace(/^\/emulator/, '');
        var i;
        var found;
        for (i = 0; i < this._routes.length; i += 1) {
            found = this._routes[i].pattern.exec(wish);
            if (found !== null) {
                return {run: this._routes[i].run, found: found};
            }
        }
        throw new web.Refusal(404, 'No such endpoint', wish);
    },

    // "Scripts - Background"
    runScript: function (exchange, visitor) {
        var wish = body(exchange);
        var user = wish.user ? this._user(wish.user) : visitor.user;
        return this._run(need(wish, 'script'), 'background script', user, wish);
    },

    // The administrator presses "Run Fix Script".
    runFix: function (exchange, visitor) {
        var wish = body(exchange);
        var fix = this._one('sys_script_fix', need(wish, 'name'));
        var source = (wish.before ? wish.before + '\n' : '') + fix.script;
        wish.scope = this._platform.scopes.nameOf(fix);
        return this._run(source, 'fix script ' + fix.name, visitor.user, wish);
    },

    // The administrator presses "Execute Now"; this waits for the end.
    runJob: function (exchange) {
        var job = this._one('sysauto_script', need(body(exchange), 'name'));
        return {error: attempt(this._platform, job)};
    },

    addUser: function (exchange, visitor) {
        var wish = body(exchange);
        var people = this._parts.people;
        return this._platform.context.run(this._transaction(visitor.user, {}), function () {
            try {
                return {sys_id: people.add(
                    need(wish, 'user_name'), need(wish, 'password'), wish.roles || [], wish.email || ''
                )};
            } catch (error) {
                throw error.name === 'EmulatorError' ?
                    new web.Refusal(422, 'The user cannot be made', error.message) : error;
            }
        });
    },

    lines: function () {
        var rows = this._platform.store.select('syslog', null, {
            orderBy: [{column: 'sys_created_on', descending: true}], limit: LOG_LINES
        });
        return {lines: rows.reverse().map(function (row) {
            return row.sys_created_on + ' ' + row.level + ' ' + row.source + ': ' + row.message;
        })};
    },

    changeFaults: function (exchange) {
        var wish = body(exchange);
        try {
            return this._parts.faults.change(wish);
        } catch (text) {
            throw typeof text === 'string' ? new web.Refusal(422, 'Bad fault', text) : text;
        }
    },

    updateSet: function (exchange, visitor, step) {
        var self = this;
        return this._platform.context.run(this._transaction(visitor.user, step.wish), function () {
            return step.run(self._parts.updateSets);
        });
    },

    stop: function (exchange) {
        later(exchange, this._parts.stop);
        return {state: 'stopping'};
    },

    restart: function (exchange) {
        var restart = this._parts.restart;
        var data = need(body(exchange), 'data');
        later(exchange, function () { restart(data); });
        return {state: 'restarting'};
    },

    _run: function (source, name, user, wish) {
        var transaction = this._transaction(user, wish);
        var engine = this._platform.engine;
        var answer = {result: null, output: transaction.output, error: null};
        this._platform.context.run(transaction, function () {
            try {
                answer.result = plain(engine.run(source, name, {scope: transaction.scope, bindings: {}}));
            } catch (error) {
                answer.error = describe(error);
            }
        });
        return answer;
    },

    _transaction: function (user, wish) {
        return this._platform.context.create({
            user: wish.elevated ? this._elevated(user) : user, scope: wish.scope || 'global',
            elevated: wish.elevated === true, interactive: true
        });
    },

    _user: function (name) {
        var user = this._parts.users.named(name);
        if (user === null) {
            throw new web.Refusal(422, 'No such user', name);
        }
        return user;
    },

    _one: function (table, name) {
        var rows = this._platform.store.select(table, {column: 'name', operator: '=', value: name});
        if (rows.length !== 1) {
            throw new web.Refusal(404, 'Not found',
                rows.length + ' records of ' + table + ' have the name ' + name);
        }
        return rows[0];
    },

    // Who elevates has to have the role that elevation gives.
    _elevated: function (user) {
        if (user.elevated.length === 0) {
            throw new web.Refusal(403, 'Forbidden', user.user_name + ' has no role to elevate to');
        }
        return merge(user, {roles: user.roles.concat(user.elevated)});
    }
};

function routes(self) {
    return [
        [/^POST \/scripts\/run$/, self.runScript.bind(self)],
        [/^POST \/fix_scripts\/run$/, self.runFix.bind(self)],
        [/^POST \/jobs\/run$/, self.runJob.bind(self)],
        [/^POST \/users$/, self.addUser.bind(self)],
        [/^GET \/log$/, self.lines.bind(self)],
        [/^GET \/faults$/, function () { return self._parts.faults.all(); }],
        [/^POST \/faults$/, self.changeFaults.bind(self)],
        [/^POST \/stop$/, self.stop.bind(self)],
        [/^POST \/restart$/, self.restart.bind(self)],
        [/^POST \/update_sets$/, function (exchange, visitor) {
            var text = exchange.text(UPDATE_SET_BYTES);
            return self.updateSet(exchange, visitor, {wish: {}, run: function (sets) {
                return sets.load(text);
            }});
        }],
        [/^POST \/update_sets\/([^\/]+)\/preview$/, function (exchange, visitor, found) {
            return self.updateSet(exchange, visitor, {wish: {}, run: function (sets) {
                return {problems: sets.preview(found[1])};
            }});
        }],
        [/^POST \/update_sets\/([^\/]+)\/commit$/, function (exchange, visitor, found) {
            return self.updateSet(exchange, visitor, {wish: body(exchange), run: function (sets) {
                return sets.commit(found[1]);
            }});
        }]
    ].map(function (pair) { return {pattern: pair[0], run: pair[1]}; });
}

/** The answer goes first. */
function later(exchange, work) {
    exchange.afterwards = function () {
        var thread = new java.lang.Thread(work);
        // Else Java ends when nobody listens.
        thread.setDaemon(false);
        thread.start();
    };
}

function attempt(platform, job) {
    try {
        var failed = platform.jobs.run(job.sys_id);
        return failed === undefined || failed === null ? null : describe(failed);
    } catch (error) {
        return describe(error);
    }
}

function merge(object, changes) {
    var made = {};
    [object, changes].forEach(function (from) {
        Object.keys(from).forEach(function (name) { made[name] = from[name]; });
    });
    return made;
}

function body(exchange) {
    var text = exchange.text(web.BODY_BYTES);
    var wish;
    try {
        wish = text === '' ? {} : JSON.parse(text);
    } catch (error) {
        throw new web.Refusal(400, 'Bad Request', 'The body is not JSON');
    }
    if (wish === null || typeof wish !== 'object') {
        throw new web.Refusal(400, 'Bad Request', 'The body is not a JSON object');
    }
    return wish;
}

function need(wish, name) {
    if (typeof wish[name] !== 'string' || wish[name] === '') {
        throw new web.Refusal(422, 'Missing field', name);
    }
    return wish[name];
}

// What a script leaves may be anything; only what JSON can say is passed on as it is.
function plain(value) {
    var text;
    if (value === undefined || value === null) {
        return null;
    }
    try {
        text = JSON.stringify(value);
    } catch (error) {
        return String(value);
    }
    return text === undefined ? String(value) : JSON.parse(text);
}

function describe(error) {
    return String(error && error.message ? (error.name || 'Error') + ': ' + error.message : error);
}
