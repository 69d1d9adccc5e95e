window.claudeTerminal = window.claudeTerminal || {};

/**
 * A session's output as it comes, from a byte offset on. Reading changes nothing on the instance, so that an
 * answer that got lost is simply asked for again from the same offset.
 */
(function (ns) {
    'use strict';

    var MOST_BYTES = 262144;
    /** The instance answers a large piece alone: there may be more behind it. */
    var LARGE_BYTES = 16384;
    var FRESH_MS = 1000;
    var FIRST_PAUSE_MS = 500;
    var LONGEST_PAUSE_MS = 10000;

    /**
     * @param {Object} given calls, timers; and what is called, each of them optional:
     *     onOutput(bytes), onGap(dropped), onInput(settled), onState(answer, askedAt), onProblem(?Problem);
     *     after(): the number of the last input of this tab that need not be told again
     */
    function Feed(given) {
        this._calls = given.calls;
        this._timers = given.timers;
        this._given = given;
        this._session = null;
        this._run = 0;
    }

    Feed.prototype = {
        /**
         * @param {string} session
         * @param {number} cursor the offset of the first byte that is wanted
         * @param {?string} tab whose settled inputs are wanted
         */
        start: function (session, cursor, tab) {
            this.stop();
            this._session = session;
            this._tab = tab;
            this.cursor = cursor;
            this._pause = FIRST_PAUSE_MS;
            this._failures = 0;
            this._notBefore = 0;
            this.look();
        },

        /** Something may be new. One read is under way at most; a look meanwhile causes one more. */
        look: function () {
            if (!this._session) {
                return;
            }
            if (this._reading) {
                this._more = true;
                return;
            }
            this._cancel();
            if (this._timers.now() < this._notBefore) {
                this._timer = this._timers.after(this._notBefore - this._timers.now(),
                    this.look.bind(this));
                return;
            }
            this._read();
        },

        /** @returns {boolean} whether it was started */
        following: function () {
            return !!this._session;
        },

        /** The network may be back: a read that has been under way for long counts as lost. */
        hurry: function () {
            if (this._reading && this._timers.now() - this._askedAt >= FRESH_MS) {
                this._run += 1;
                this._reading = false;
            }
            this.look();
        },

        stop: function () {
            this._run += 1; // an answer that is on its way belongs to nobody
            this._session = null;
            this._reading = false;
            this._more = false;
            this._cancel();
        },

        _read: function () {
            var run = this._run;
            var askedAt = this._timers.now();
            this._askedAt = askedAt;
            this._reading = true;
            this._more = false;
            this._calls.get(this._path()).then(function (answer) {
                if (run === this._run) {
                    this._came(answer, askedAt);
                }
            }.bind(this), function (problem) {
                if (run === this._run) {
                    this._failed(problem);
                }
            }.bind(this));
        },

        _path: function () {
            var path = '/sessions/' + this._session + '/output?cursor=' + this.cursor +
                '&max_bytes=' + MOST_BYTES;
            return this._tab ? path + '&stream=' + this._tab +
                '&after=' + (this._given.after ? this._given.after() : 0) : path;
        },

        _came: function (answer, askedAt) {
            var run = this._run;
            var bytes;
            try {
                bytes = this._checked(answer);
            } catch (e) {
                this._failed(ns.Problem.of(e));
                return;
            }
            this._reading = false;
            this._pause = FIRST_PAUSE_MS;
            this._failures = 0;
            this.cursor = answer.nextCursor;
            this._deliver(run, answer, bytes, askedAt);
            if (run === this._run && (this._more || bytes.length >= LARGE_BYTES)) {
                this.look();
            }
        },

        _checked: function (answer) {
            var bytes = ns.Bytes.decoded(String(answer.data || ''));
            if (answer.cursor !== this.cursor ||
                    answer.nextCursor !== this.cursor + (answer.dropped || 0) + bytes.length) {
                throw new ns.Problem({status: 502, title: 'Fault',
                    detail: 'The output does not fit together.'});
            }
            return bytes;
        },

        _deliver: function (run, answer, bytes, askedAt) {
            this._tell(run, 'onProblem', null);
            if (answer.dropped) {
                this._tell(run, 'onGap', answer.dropped);
            }
            if (bytes.length) {
                this._tell(run, 'onOutput', bytes);
            }
            if (answer.input && answer.input.length) {
                this._tell(run, 'onInput', answer.input);
            }
            this._tell(run, 'onState', answer, askedAt);
        },

        _failed: function (problem) {
            var run = this._run;
            this._reading = false;
            this._notBefore = this._timers.now() + problem.retryAfterMs;
            this._failures += 1;
            // One lost answer of many is nothing that people should be told.
            if (this._failures > 1 || !problem.passing()) {
                this._tell(run, 'onProblem', problem);
            }
            if (run === this._run && problem.passing()) {
                this._timer = this._timers.after(Math.max(this._pause, problem.retryAfterMs),
                    this.look.bind(this));
                this._pause = Math.min(this._pause * 2, LONGEST_PAUSE_MS);
            }
        },

        /** What is called may start the feed anew or stop it; then the rest of an answer belongs to nobody. */
        _tell: function (run, name, value, more) {
            if (run === this._run && this._given[name]) {
                this._given[name](value, more);
            }
        },

        _cancel: function () {
            if (this._timer) {
                this._timers.cancel(this._timer);
                this._timer = null;
            }
        }
    };

    ns.Feed = Feed;
}(window.claudeTerminal));
