window.claudeTerminal = window.claudeTerminal || {};

/**
 * Tells that something about a session may be new. The push channel is trusted as long as it is the first to
 * tell; if it is silent, News has others look, soon after something happened and ever more rarely afterwards.
 *
 * It does not fetch anything.
 */
(function (ns) {
    'use strict';

    var TABLE = 'x_claude_terminal_session';
    var FIRST_LOOK_MS = 500;
    var SLOWEST_LOOK_MS = 10000;
    /** An event of a key comes within this, or the channel has died without a word. */
    var EXPECT_MS = 1500;
    /** Safety net: while pushing works, a lost event costs no more than this. */
    var NET_MS = 15000;
    /** An event may come this much later than a look that has seen the same. */
    var GRACE_MS = 2000;

    /**
     * @param {Object} given watch(table, filter, fn): spUtil.recordWatch of a scope, which may give a function
     *     that ends the watch; timers
     */
    function News(given) {
        this._watch = given.watch;
        this._timers = given.timers;
        this._run = 0;
        this._end = null;
        this._fn = null;
        this._timer = null;
        this._grace = null;
        /** What people are told: pushing counts as working until a look finds what it did not tell. */
        this.mode = 'push';
        this._proven = false; // whether it has told something first
    }

    News.prototype = {
        /**
         * @param {string} sysId of the session's row
         * @param {function(Object)} fn gets the columns that changed as plain values; {} for "look yourself"
         */
        follow: function (sysId, fn) {
            this.stop();
            this._fn = fn;
            this._told = 0; // the highest number that the push channel told
            this._foundAt = 0;
            this._found = -1; // the highest number that a look has found
            this._expecting = false;
            this.mode = 'push';
            this._proven = false;
            this._run += 1;
            this._end = this._watch(TABLE, 'sys_id=' + sysId, this._event.bind(this, this._run));
            this._pause = FIRST_LOOK_MS;
            this._plan(FIRST_LOOK_MS);
        },

        /** Something happened, so that something new is near: output came. */
        active: function () {
            if (this._fn && !this._proven) {
                this._soon(FIRST_LOOK_MS);
            }
        },

        /** A key has left: something new will come of it, told or not. */
        expect: function () {
            if (this._fn) {
                this._expecting = true;
                this._soon(this._proven ? EXPECT_MS : FIRST_LOOK_MS);
            }
        },

        /** Nothing is known any more that something new would have to come of. */
        calm: function () {
            this._expecting = false;
            if (this._fn && this._proven) {
                this._rest();
            }
        },

        /** A look has found the number that each change moves. @param {number} seq the row's output_seq */
        found: function (seq) {
            var first = this._found < 0 && !this._told;
            if (!this._fn || !(seq > this._found)) {
                return;
            }
            this._found = seq;
            if (first) {
                this._told = Math.max(this._told, seq); // it was so before anybody could tell
                return;
            }
            this._foundAt = this._timers.now();
            this.active();
            if (this.mode === 'push' && seq > this._told && !this._grace) {
                this._grace = this._timers.after(GRACE_MS, this._judge.bind(this, seq));
            }
        },

        stop: function () {
            this._drop('_timer');
            this._drop('_grace');
            this._fn = null;
            if (typeof this._end === 'function') {
                this._end();
            }
            this._end = null;
        },

        _event: function (run, event) {
            var changes = plain(event);
            var seq = Number(changes.output_seq) || 0;
            if (!this._fn || run !== this._run) {
                return;
            }
            if (seq > this._found || this._timers.now() - this._foundAt <= GRACE_MS) {
                this.mode = 'push';
                this._proven = true;
                // It may be of an earlier key than the last, and the last event that comes.
                if (!this._expecting) {
                    this._rest();
                }
            }
            this._told = Math.max(this._told, seq);
            this._fn(changes);
        },

        _rest: function () {
            this._pause = NET_MS;
            this._replan(NET_MS);
        },

        _judge: function (seq) {
            this._grace = null;
            if (seq > this._told) {
                this.mode = 'polling';
                this._proven = false;
                this.active();
            }
        },

        _look: function () {
            this._timer = null;
            this._pause = Math.min(this._pause * 2, this._proven ? NET_MS : SLOWEST_LOOK_MS);
            this._plan(this._pause);
            this._fn({});
        },

        _soon: function (pause) {
            this._pause = pause;
            this._plan(pause);
        },

        /** Look after that time, or earlier if that is planned: else who types fast would never be looked for. */
        _plan: function (pause) {
            if (!this._timer || this._due > this._timers.now() + pause) {
                this._replan(pause);
            }
        },

        _replan: function (pause) {
            this._drop('_timer');
            this._due = this._timers.now() + pause;
            this._timer = this._timers.after(pause, this._look.bind(this));
        },

        _drop: function (name) {
            if (this[name]) {
                this._timers.cancel(this[name]);
                this[name] = null;
            }
        }
    };

    /** @returns {Object} column → value; an event carries only what changed */
    function plain(event) {
        var record = event && event.data && event.data.record || {};
        var changes = {};
        Object.keys(record).forEach(function (column) {
            changes[column] = record[column] ? record[column].value : null;
        });
        return changes;
    }

    ns.News = News;
}(window.claudeTerminal));
