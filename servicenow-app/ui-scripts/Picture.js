window.claudeTerminal = window.claudeTerminal || {};

/**
 * The picture a terminal begins with: the sidecar's rendered screen, and before it stored output to scroll back
 * to. Raw output alone would not do, it only makes sense on the screen it was written for.
 */
(function (ns) {
    'use strict';

    var SCROLLBACK_BYTES = 200000;
    var MOST_BYTES = 262144;
    /** Who reloads waits for the screen, not for what can be scrolled back to. */
    var HISTORY_WAIT_MS = 300;
    /** A queue that does not move is no reason to show nothing: what was printed is stored in the instance. */
    var SCREEN_WAIT_MS = 3000;

    /**
     * @param {Object} given calls, screen, timers; onPainted(offset): output goes on from there, and
     *     once more when the rendered screen comes after stored output was shown for want of it;
     *     onProblem(?Problem): why there is no rendered screen, or not yet
     */
    function Picture(given) {
        this._calls = given.calls;
        this._screen = given.screen;
        this._timers = given.timers;
        this._onPainted = given.onPainted;
        this._onProblem = given.onProblem;
        this._run = 0;
        this._step = 0;
        /** Whether what is shown is raw output, and no rendered screen will come unless it is asked for again. */
        this.rough = false;
    }

    Picture.prototype = {
        /**
         * @param {Object} of path: of the session; end: offset behind the output that is stored;
         *     rendered: whether its program has a screen; columns, rows
         */
        paint: function (of) {
            this.cancel();
            this.rough = false;
            this._shown = false;
            this._of = of;
            this._history = {end: Math.max(0, of.end - SCROLLBACK_BYTES), pieces: [], done: false,
                cut: of.end > SCROLLBACK_BYTES, then: null};
            this._recall(this._history);
            if (of.rendered) {
                this._ask();
                this._timers.after(SCREEN_WAIT_MS, this._still(this._meanwhile));
            } else {
                this._raw();
            }
        },

        cancel: function () {
            this._run += 1;
        },

        /** @returns {function} that does nothing once another picture is wanted */
        _still: function (fn) {
            var run = this._run;
            return function (value) {
                if (run === this._run) {
                    fn.call(this, value);
                }
            }.bind(this);
        },

        _ask: function () {
            var run = this._run;
            this._calls.ask('POST', this._of.path + '/screen', {}, {onLate: this._still(this._onProblem),
                wanted: function () {
                    return run === this._run;
                }.bind(this)}).then(this._still(this._rendered), this._still(this._refused));
        },

        _rendered: function (picture) {
            this._onProblem(null);
            if (picture.offset > this._history.end && this._history.done) {
                this._extend(picture.offset);
            }
            this._with(HISTORY_WAIT_MS, function (history) {
                this.cancel(); // neither the history nor the time matters any more
                this._show(picture, before(history, picture.offset), picture.offset);
            });
        },

        _refused: function (problem) {
            this.rough = problem.passing();
            this._onProblem(problem);
            if (!this._shown) {
                this._raw();
            }
        },

        /** While a screen is waited for, an empty one would look as if the program had printed nothing. */
        _meanwhile: function () {
            if (!this._shown) {
                this._with(0, function (history) {
                    if (joined(history.pieces).length) {
                        this._showRaw(history);
                    }
                });
            }
        },

        /** The output as it is, which is better than nothing. */
        _raw: function () {
            this._with(0, this._showRaw);
        },

        _showRaw: function (history) {
            this._show({ansi: '', columns: this._of.columns, rows: this._of.rows}, joined(history.pieces),
                history.end);
        },

        _show: function (picture, history, offset) {
            this._shown = true;
            this._screen.restore({ansi: picture.ansi, columns: picture.columns, rows: picture.rows,
                history: history, cut: this._history.cut});
            this._onPainted(offset);
        },

        // --- history -------------------------------------------------------------------------------------

        _recall: function (history) {
            if (history.end >= this._of.end) {
                this._recalled(history);
                return;
            }
            this._calls.get(this._of.path + '/output?cursor=' + history.end + '&max_bytes=' + MOST_BYTES)
                .then(this._still(function (answer) {
                    this._piece(history, answer);
                }), this._still(function () {
                    this._recalled(history);
                }));
        },

        _piece: function (history, answer) {
            var bytes = bytesOf(answer);
            // What lies before a gap does not fit to what lies behind it.
            history.cut = history.cut || answer.dropped > 0;
            history.pieces = (answer.dropped ? [] : history.pieces).concat([bytes]);
            history.end = answer.nextCursor;
            if (bytes.length) {
                this._recall(history);
            } else {
                this._recalled(history);
            }
        },

        /** What was printed while the screen was waited for is there to scroll back to as well. */
        _extend: function (end) {
            this._of.end = end;
            this._history.done = false;
            this._recall(this._history);
        },

        _recalled: function (history) {
            history.done = true;
            if (history.then) {
                history.then();
            }
        },

        /** Go on as soon as the history is here. @param {number} most milliseconds to wait for it; 0: for ever */
        _with: function (most, fn) {
            var history = this._history;
            var step = ++this._step;
            var once = this._still(function () {
                if (step === this._step) {
                    this._step += 1; // the history and the time, whichever is first
                    fn.call(this, history);
                }
            });
            if (history.done) {
                once();
                return;
            }
            history.then = once;
            if (most) {
                this._timers.after(most, once);
            }
        }
    };

    /** @returns {Uint8Array} none of an answer that is damaged: it is only for scrolling back */
    function bytesOf(answer) {
        try {
            return ns.Bytes.decoded(String(answer.data || ''));
        } catch (e) {
            return new Uint8Array(0);
        }
    }

    function joined(pieces) {
        var length = pieces.reduce(function (sum, piece) {
            return sum + piece.length;
        }, 0);
        var all = new Uint8Array(length);
        var at = 0;
        pieces.forEach(function (piece) {
            all.set(piece, at);
            at += piece.length;
        });
        return all;
    }

    /** @returns {Uint8Array} what lies before an offset */
    function before(history, offset) {
        var all = joined(history.pieces);
        return all.subarray(0, Math.max(0, all.length - Math.max(0, history.end - offset)));
    }

    ns.Picture = Picture;
}(window.claudeTerminal));
