window.claudeTerminal = window.claudeTerminal || {};

/**
 * The size a session's program has, and the one this tab wants it to have. Wishes are sent once they rest, and one
 * after the other, or an earlier one could win.
 */
(function (ns) {
    'use strict';

    var REST_MS = 200;
    var RETRY_MS = 5000;

    /**
     * @param {Object} given calls, timers; may(): whether this tab has the say and the way is open;
     *     onChanged(columns, rows): the program has another size now
     */
    function Size(given) {
        this._calls = given.calls;
        this._timers = given.timers;
        this._may = given.may;
        this._onChanged = given.onChanged;
        this._run = 0;
    }

    Size.prototype = {
        /** @param {string} path of the session */
        open: function (path) {
            this.stop();
            this._path = path;
            this._wanted = null;
            this._known = null;
            this._sending = false;
            this._sentAt = 0;
        },

        stop: function () {
            this._run += 1;
            this._path = null;
            this._timers.cancel(this._timer);
        },

        /** The terminal has this size now. */
        want: function (columns, rows) {
            if (this._path) {
                this._wanted = {columns: columns, rows: rows};
                this._plan(REST_MS);
            }
        },

        /** The tab does not have the say any more. */
        forget: function () {
            this._wanted = null;
        },

        /** A read that left at that time tells which size the program has. */
        told: function (columns, rows, askedAt) {
            if (!columns || !rows || this._sending || askedAt <= this._sentAt) {
                return;
            }
            this._known = {columns: columns, rows: rows};
            // Perhaps another tab's wish came late; but who is told the same again and again does not insist.
            if (askedAt - this._sentAt > RETRY_MS) {
                this.send();
            }
        },

        /** Send what is wanted, if it is not so already. */
        send: function () {
            var wanted = this._wanted;
            if (!this._path || !wanted || this._sending || same(wanted, this._known) || !this._may()) {
                return;
            }
            this._sending = true;
            this._calls.ask('POST', this._path + '/resize', wanted, this._asked()).then(this._still(
                this._set.bind(this, wanted)), this._still(function (problem) {
                this._ended();
                if (problem.passing()) {
                    this._plan(RETRY_MS);
                }
            }));
        },

        _set: function (wanted) {
            this._ended();
            this._known = wanted;
            this._onChanged(wanted.columns, wanted.rows);
            this.send();
        },

        /** Once the session was left, nobody waits for the answer. */
        _asked: function () {
            var run = this._run;
            return {wanted: function () {
                return run === this._run;
            }.bind(this)};
        },

        _ended: function () {
            this._sending = false;
            this._sentAt = this._timers.now();
        },

        _plan: function (pause) {
            this._timers.cancel(this._timer);
            this._timer = this._timers.after(pause, this._still(this.send));
        },

        /** @returns {function} that does nothing once the session was left */
        _still: function (fn) {
            var run = this._run;
            return function (value) {
                if (run === this._run) {
                    fn.call(this, value);
                }
            }.bind(this);
        }
    };

    function same(one, other) {
        return !!other && one.columns === other.columns && one.rows === other.rows;
    }

    ns.Size = Size;
}(window.claudeTerminal));
