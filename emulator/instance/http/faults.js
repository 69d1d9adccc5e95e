/**
 * Faults on demand: slow links, a push channel that is down, rate limits, answers of a MID Server that get lost.
 *
 * They are not kept: an instance starts without any.
 */

var lock = require('lock');

var NAMES = ['latencyMs', 'amb', 'tooManyRequests', 'answers', 'discovery'];
var ANSWERS = ['lose', 'double', 'reorder'];
var LATENCY_MOST_MS = 60000;

/** Start with no fault. `settings` holds the property `emulator.discovery`, which outlives this process. */
exports.Faults = function (settings) {
    this._settings = settings;
    this._locked = lock.create();
    // Read by many threads: replaced as a whole, never changed.
    this._now = {latencyMs: 0, amb: true, tooManyRequests: null, answers: none()};
    this._held = new java.util.ArrayDeque();
};

exports.Faults.prototype = {
    /** @returns {Object} which faults are on, in the form of the control endpoint */
    all: function () {
        var now = this._now;
        return {
            latencyMs: now.latencyMs, amb: now.amb,
            tooManyRequests: now.tooManyRequests && now.tooManyRequests.asked,
            answers: now.answers, discovery: this._settings.discovery()
        };
    },

    /** Change some of them; throws a text when the wish makes no sense. */
    change: function (wish) {
        var self = this;
        Object.keys(wish).forEach(function (name) {
            if (NAMES.indexOf(name) < 0) {
                throw 'there is no fault ' + name + '; there are ' + NAMES.join(', ');
            }
        });
        this._locked(function () {
            var next = copy(self._now);
            NAMES.forEach(function (name) {
                if (wish[name] !== undefined) {
                    self['_' + name](next, wish[name]);
                }
            });
            self._now = next;
        });
        return this.all();
    },

    /** @returns {number} how long half an exchange is held */
    halfMs: function () {
        return Math.round(this._now.latencyMs / 2);
    },

    /** @returns {boolean} whether the push channel works */
    ambOn: function () {
        return this._now.amb;
    },

    /** @returns {number} seconds a call to this path has to wait, 0 when it may go on */
    waitSeconds: function (path) {
        var limit = this._now.tooManyRequests;
        var left = limit && path.indexOf(limit.asked.path) === 0 ? limit.until - now() : 0;
        return left > 0 ? Math.ceil(left / 1000) : 0;
    },

    /**
     * Decide what becomes of one answer of a MID Server.
     *
     * @param {function()} store stores it and returns its sys_id
     * @param {function()} pretend returns a sys_id for one that is not stored
     * @returns {string} the sys_id to acknowledge
     */
    answer: function (store, pretend) {
        var kind = this._take();
        if (kind === 'lose') {
            return pretend();
        }
        if (kind === 'reorder') {
            return this._hold(store, pretend);
        }
        if (kind === 'double') {
            store();
        }
        return store();
    },

    _take: function () {
        var self = this;
        return this._locked(function () {
            var kind = ANSWERS.filter(function (name) { return self._now.answers[name] > 0; })[0];
            if (kind) {
                self._now = copy(self._now);
                self._now.answers = copy(self._now.answers);
                self._now.answers[kind] -= 1;
            }
            return kind;
        });
    },

    // The last of those that are held back lets all of them go, the youngest first.
    _hold: function (store, pretend) {
        var self = this;
        var due = this._locked(function () {
            self._held.addFirst(store);
            return self._now.answers.reorder === 0 ? self._drain() : [];
        });
        due.forEach(function (each) { each(); });
        return pretend();
    },

    _drain: function () {
        var due = [];
        while (!this._held.isEmpty()) {
            due.push(this._held.pollFirst());
        }
        return due;
    },

    _latencyMs: function (next, value) {
        next.latencyMs = whole(value, 'latencyMs', LATENCY_MOST_MS);
    },

    _amb: function (next, value) {
        next.amb = flag(value, 'amb');
    },

    _discovery: function (next, value) {
        this._settings.setDiscovery(flag(value, 'discovery'));
    },

    _tooManyRequests: function (next, value) {
        if (value === null) {
            next.tooManyRequests = null;
            return;
        }
        if (typeof value.path !== 'string') {
            throw 'tooManyRequests needs path (a prefix) and seconds';
        }
        next.tooManyRequests = {
            asked: {path: value.path, seconds: whole(value.seconds, 'seconds', 3600)},
            until: now() + value.seconds * 1000
        };
    },

    _answers: function (next, value) {
        next.answers = copy(next.answers);
        Object.keys(value || none()).forEach(function (name) {
            if (ANSWERS.indexOf(name) < 0) {
                throw 'answers can be ' + ANSWERS.join(', ') + '; not ' + name;
            }
            next.answers[name] = whole(value[name], name, 1000);
        });
    }
};

function none() {
    return {lose: 0, double: 0, reorder: 0};
}

function copy(object) {
    var made = {};
    Object.keys(object).forEach(function (name) { made[name] = object[name]; });
    return made;
}

function now() {
    return new Date().getTime();
}

function flag(value, name) {
    if (value !== true && value !== false) {
        throw name + ' is true or false';
    }
    return value;
}

function whole(value, name, most) {
    if (typeof value !== 'number' || value % 1 !== 0 || value < 0 || value > most) {
        throw name + ' is a whole number from 0 to ' + most;
    }
    return value;
}
