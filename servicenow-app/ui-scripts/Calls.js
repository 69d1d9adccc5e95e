window.claudeTerminal = window.claudeTerminal || {};

/**
 * Calls of the application's REST interface. A call whose fate is unknown is repeated with the same `key`, so
 * that it is done once.
 *
 * @typedef {{now: function(): number, after: function(number, function()): *, cancel: function(*)}} Timers
 */
(function (ns) {
    'use strict';

    var BASE = '/api/x_claude_terminal/v1';
    var MOST_REPEATS = 5;
    var FIRST_PAUSE_MS = 250;
    var LONGEST_PAUSE_MS = 8000;
    /** Who has to wait longer than this is told, not kept waiting. */
    var LONGEST_OBEYED_MS = 30000;
    /** A connection of a computer that slept never answers. */
    var TIMEOUT_MS = 20000;
    /** Who types should not have to wait for a connection that is dead. */
    var TYPING_MS = 8000;
    var TYPED = /\/commands$/;
    /** A call that has just left is not worth a second one. */
    var FRESH_MS = 1000;
    var FIRST_LOOK_MS = 120;
    var QUICK_LOOK_MS = 100;
    var QUICK_FOR_MS = 2000;
    var SLOWEST_LOOK_MS = 2000;
    /** What took longer than a minute will not come within the next two seconds. */
    var LONG_MS = 60000;
    var LONG_LOOK_MS = 10000;
    /** Nobody may have said that something is wrong, but by now it is. */
    var SILENT_MS = 10000;
    /** What is to be done once. The others harm nothing when they are done twice, and know no `key`. */
    var KEYED = /^\/(sessions|credentials|sessions\/[^\/]+\/(commands|output|screen|status|resize))$/;

    /**
     * @param {Object} given http: $http; promises: $q; timers; random: gives 32 hex digits; send: posts a body
     *     while the page is being left, see beacon
     */
    function Calls(given) {
        this._http = given.http;
        this._promises = given.promises;
        this._timers = given.timers;
        this._random = given.random || Calls.random;
        this._send = given.send || function () {};
        this._impatient = [];
    }

    /** @returns {string} 32 hex digits */
    Calls.random = function () {
        var text = '';
        while (text.length < 32) {
            text += Math.floor(Math.random() * 0x100000000 + 0x100000000).toString(16).substring(1);
        }
        return text;
    };

    /** @returns {Problem} of a MID Server that counts as up and yet is silent */
    Calls.silent = function () {
        return new ns.Problem({status: 504, title: 'Not answered yet', own: true,
            detail: 'Nothing has come back from the MID Server for 10 seconds. This page goes on waiting.'});
    };

    Calls.prototype = {
        /** @returns {string} a name that nobody else has */
        name: function () {
            return this._random();
        },

        /** Once: whoever polls asks again anyway. @returns {Promise<Object>} */
        get: function (path) {
            return this._once('GET', path);
        },

        /**
         * A take-over is made once: a repeated one could take back what somebody else took in between.
         *
         * @param {Object} [body] gets a `key` if the resource knows one
         * @returns {Promise<Object>}
         */
        post: function (path, body) {
            return body && body.take ? this._once('POST', path, body) :
                this._repeated('POST', path, KEYED.test(path) ? this._keyed(body) : body || {}, 0);
        },

        /** @returns {Promise<Object>} */
        remove: function (path) {
            return this._repeated('DELETE', path, undefined, 0);
        },

        /** The network may be back: repeat at once what waits for an answer, or to be repeated. */
        hurry: function () {
            this._impatient.slice().forEach(function (fn) {
                fn();
            });
        },

        /** Post what nobody waits for, while the page goes away. */
        beacon: function (path, body) {
            this._send(BASE + path, body);
        },

        /**
         * Make a call that a sidecar answers, and wait for that.
         *
         * @param {Object} [body]
         * @param {{onLate: function(Problem), wanted: function(): boolean}} [how] onLate tells why it takes so long
         * @returns {Promise<Object>} the sidecar's answer
         */
        ask: function (method, path, body, how) {
            var call = method === 'DELETE' ? this.remove(path) : this.post(path, body);
            return call.then(function (accepted) {
                return this.outcome(accepted.request, how);
            }.bind(this));
        },

        /** @param {?string} request null: there was nothing to ask @returns {Promise<Object>} its answer */
        outcome: function (request, how) {
            var deferred = this._promises.defer();
            if (request) {
                this._await({request: request, how: how || {}, deferred: deferred, since: this._timers.now(),
                    pause: QUICK_LOOK_MS, told: ''}, FIRST_LOOK_MS);
            } else {
                deferred.resolve(null);
            }
            return deferred.promise;
        },

        _keyed: function (body) {
            var keyed = {};
            Object.keys(body || {}).forEach(function (name) {
                keyed[name] = body[name];
            });
            keyed.key = keyed.key || this._random();
            return keyed;
        },

        _once: function (method, path, body) {
            var promises = this._promises;
            var config = {method: method, url: BASE + path, headers: {Accept: 'application/json'},
                timeout: TYPED.test(path) ? TYPING_MS : TIMEOUT_MS};
            if (body !== undefined) {
                config.data = body;
            }
            return this._http(config).then(function (answer) {
                return answer.data && typeof answer.data === 'object' && answer.data.result !== undefined ?
                    answer.data.result : promises.reject(foreign(answer));
            }, function (answer) {
                return promises.reject(ns.Problem.of(answer));
            });
        },

        _repeated: function (method, path, body, repeats) {
            return this._hastened(this._once(method, path, body)).then(null, function (problem) {
                var pause = problem.retryAfterMs ||
                    Math.min(FIRST_PAUSE_MS * Math.pow(2, repeats), LONGEST_PAUSE_MS);
                if (!problem.unsure() || repeats >= MOST_REPEATS - 1 || pause > LONGEST_OBEYED_MS) {
                    return this._promises.reject(problem);
                }
                return this._paused(pause, problem.retryAfterMs > 0).then(function () {
                    return this._repeated(method, path, body, repeats + 1);
                }.bind(this));
            }.bind(this));
        },

        /** @param {boolean} obeyed whether somebody asked for the pause */
        _paused: function (pause, obeyed) {
            var deferred = this._promises.defer();
            var end = this._hurried(function () {
                if (!obeyed) {
                    deferred.resolve(null);
                }
            });
            this._timers.after(pause, function () {
                end();
                deferred.resolve(null);
            });
            return deferred.promise;
        },

        /** @returns {Promise} of a call's answer; once that is hurried, the call counts as lost */
        _hastened: function (promise) {
            var deferred = this._promises.defer();
            var since = this._timers.now();
            var end = this._hurried(function () {
                if (this._timers.now() - since >= FRESH_MS) {
                    deferred.reject(new ns.Problem({status: 0, retryAfterMs: 1}));
                }
            }.bind(this));
            promise.then(null, nothing).then(end);
            promise.then(deferred.resolve, deferred.reject);
            return deferred.promise;
        },

        /** @returns {function()} that ends it */
        _hurried: function (fn) {
            this._impatient.push(fn);
            return function () {
                this._impatient = this._impatient.filter(function (other) {
                    return other !== fn;
                });
            }.bind(this);
        },

        _await: function (asked, pause) {
            this._timers.after(pause, function () {
                if (asked.how.wanted && !asked.how.wanted()) {
                    asked.deferred.reject(new ns.Problem({status: 499, title: 'Given up'}));
                    return;
                }
                this.get('/requests/' + asked.request).then(this._seen.bind(this, asked),
                    this._unseen.bind(this, asked));
            }.bind(this));
        },

        _seen: function (asked, view) {
            if (view.state === 'done') {
                asked.deferred.resolve(view.body);
            } else if (view.state === 'failed') {
                asked.deferred.reject(ns.Problem.of(view.problem));
            } else {
                this._late(asked, view.problem ? ns.Problem.of(view.problem) : this._silent(asked));
                this._again(asked, 0);
            }
        },

        _unseen: function (asked, problem) {
            if (!problem.passing()) {
                asked.deferred.reject(problem);
                return;
            }
            this._late(asked, problem);
            this._again(asked, Math.max(problem.retryAfterMs, QUICK_FOR_MS / 2));
        },

        _again: function (asked, least) {
            var age = this._timers.now() - asked.since;
            if (age >= QUICK_FOR_MS) {
                asked.pause = Math.min(asked.pause * 1.5, age >= LONG_MS ? LONG_LOOK_MS : SLOWEST_LOOK_MS);
            }
            this._await(asked, Math.max(asked.pause, least));
        },

        /** @returns {?Problem} */
        _silent: function (asked) {
            return this._timers.now() - asked.since >= SILENT_MS ? Calls.silent() : null;
        },

        _late: function (asked, problem) {
            var title = problem ? problem.title + problem.status : '';
            if (problem && title !== asked.told && asked.how.onLate) {
                asked.how.onLate(problem);
            }
            asked.told = title;
        }
    };

    function nothing() {
    }

    /** A page instead of an answer is mostly the sign-in of a company, which answers 200. */
    function foreign(answer) {
        var page = /^\s*</.test(String(answer.data));
        return new ns.Problem(page ? {status: 401} : {status: 502, title: 'Fault',
            detail: 'The instance gave an answer that this page does not understand.'});
    }

    ns.Calls = Calls;
}(window.claudeTerminal));
