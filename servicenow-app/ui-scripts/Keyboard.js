window.claudeTerminal = window.claudeTerminal || {};

/**
 * What is typed, on its way to a session: in order, each byte once, in few calls.
 *
 * Self-clocked: a batch leaves when at most one earlier one is still under way, so that what is typed meanwhile
 * travels together. It leaves only after the instance has taken the one before, because the sidecar waits just
 * two seconds for a number that is missing. A call whose answer got lost is repeated with the same key; one that
 * failed is made anew with the same number, which the sidecar executes once.
 *
 * @typedef {Object} Batch
 * @property {string} command base64
 * @property {number} bytes how many
 * @property {number} seq its number in this tab
 * @property {string} key of the attempt
 * @property {?string} request what the instance calls the attempt
 * @property {string} state ready, posted, taken
 * @property {Object} spent requests of attempts that failed
 * @property {number} failures
 * @property {boolean} doubtful the program was cut off meanwhile
 * @property {boolean} pasting it begins in the middle of a paste
 * @property {boolean} watched whether it is asked what became of it
 */
(function (ns) {
    'use strict';

    var BATCH_BYTES = 8192;
    var MOST_UNDER_WAY = 2;
    /** While the way is open a large paste may wait; while it is closed nobody sees what he types. */
    var MOST_WAITING = 1048576;
    var MOST_HELD = 4096;
    var UNSETTLED_MS = 5000;
    var SLOWEST_CHECK_MS = 20000;
    /** Who types into nothing is told after this. */
    var LATE_MS = 3000;
    /** Nothing has failed, but the answer should have come. */
    var SILENT_MS = 10000;
    var FIRST_PAUSE_MS = 1000;
    var LONGEST_PAUSE_MS = 15000;
    var REMEMBERED = 20;
    /** The status of a call that may have been executed. */
    var NO_ANSWER = 504;
    /** A failure that another attempt does not mend, but that concerns this batch only. */
    var LOST = {'Out of order': true, 'Outcome unknown': true};

    /** @param {Object} given calls, timers, onProblem(?Problem), onSent(): a batch left, all but two optional */
    function Keyboard(given) {
        this._calls = given.calls;
        this._timers = given.timers;
        this._onProblem = given.onProblem || function () {};
        this._onSent = given.onSent || function () {};
        this.enabled = false;
        /** Median milliseconds from leaving to settled; null before the first. */
        this.latency = null;
        this._run = 0;
        this._session = null;
        this._bracket = new ns.Bracket();
        this._early = false;
        this._seq = 0;
        this._forget();
    }

    Keyboard.prototype = {
        /**
         * @param {string} tab 32 hex digits, new for each opening: its numbers begin with 1
         * @param {boolean} [early] keep what is typed until `enable` is called
         */
        open: function (session, tab, early) {
            this.close();
            this._session = session;
            this._tab = tab;
            this._seq = 0;
            this._bracket = new ns.Bracket();
            this._times = [];
            this.latency = null;
            this.enabled = true;
            this._early = !!early;
        },

        close: function () {
            this._run += 1;
            this._cancel();
            this._session = null;
            this.enabled = false;
            this._forget();
        },

        /** @param {string} text as a terminal gives it, control characters and all */
        type: function (text) {
            var all = this._half + text;
            if (!this.enabled) {
                this._say('Read only', 'What you type here is not sent.');
                return;
            }
            // The second half of a character may come with the next event.
            this._half = /[\uD800-\uDBFF]$/.test(all) ? all.charAt(all.length - 1) : '';
            all = this._half ? all.substring(0, all.length - 1) : all;
            if (this._fits(all)) {
                this._waiting += all;
                this._go();
            }
        },

        /** @param {Object[]} items seq, request, state, problem: inputs that the sidecar has answered */
        settled: function (items) {
            items.forEach(function (item) {
                var batch = this._batch(item.seq);
                // An earlier attempt of the same batch is told as well; it changes nothing any more.
                if (batch && !batch.spent[item.request] &&
                        (!batch.request || batch.request === item.request)) {
                    this._settle(batch, item);
                }
            }, this);
            this._go();
        },

        /** @returns {number} every input up to this number is settled for good */
        after: function () {
            return this._batches.length ? this._batches[0].seq - 1 : this._seq;
        },

        /** @returns {boolean} whether something typed has not arrived yet */
        busy: function () {
            return this._batches.length > 0 || this._waiting !== '';
        },

        /** @returns {number} bytes that wait until the way is open again */
        held: function () {
            return !this._pausedFor && !this._overdue ? 0 : this._batches.reduce(function (sum, batch) {
                return sum + batch.bytes;
            }, ns.Bytes.size(this._waiting));
        },

        /** The program was cut off: a sidecar that starts anew knows none of the numbers it has executed. */
        interrupted: function () {
            this._batches.forEach(function (batch) {
                batch.doubtful = batch.state === 'taken';
            });
        },

        /** Somebody else typed last, and may have been displaced in the middle of a paste. */
        displaced: function () {
            this._bracket.doubt();
        },

        /** The way may be open again: try at once what is held. */
        retry: function () {
            if (this._session && this._pausedFor) {
                this._resume();
            }
        },

        /** It will be this tab's turn in a moment: keep what is typed until `enable` is called. */
        hold: function () {
            this.enabled = true;
            this._early = true;
            this._told = '';
        },

        /** Type here again, after somebody else did. */
        enable: function () {
            this.enabled = true;
            this._early = false;
            this._told = '';
            this._go();
        },

        /** Take nothing more; what has left is still watched. */
        disable: function () {
            var lost = this._waiting !== '';
            this._shut();
            this._told = '';
            if (lost) {
                this._lost();
            }
        },

        _shut: function () {
            this.enabled = false;
            this._waiting = '';
            this._half = '';
            this._bracket.cut();
        },

        _lost: function () {
            this._onProblem(new ns.Problem({status: 409, title: 'Typing lost', own: true,
                detail: 'What you typed last did not leave this page in time. Look at the screen.'}));
        },

        _forget: function () {
            this._batches = [];
            this._arrivedUpTo = 0;
            this._waiting = '';
            this._half = '';
            this._told = '';
            this._pausedFor = null;
            this._overdue = false;
            this._pause = FIRST_PAUSE_MS;
        },

        _fits: function (text) {
            var held = this._pausedFor || this._early ? MOST_HELD : MOST_WAITING;
            if (ns.Bytes.size(this._waiting) + ns.Bytes.size(text) <= held) {
                return true;
            }
            this._say('Typing lost', held === MOST_HELD ? 'The way to Claude is closed. ' + MOST_HELD +
                ' bytes are kept for when it is open again; what you type beyond that is lost.' :
                'This is more than can wait to be sent. Put a file of this size into the workspace instead.');
            return false;
        },

        _batch: function (seq) {
            return this._batches.filter(function (batch) {
                return batch.seq === seq;
            })[0] || null;
        },

        /** Send what may be sent now: an attempt anew first, then what waits. */
        _go: function () {
            var ready = this._batches.filter(function (batch) {
                return batch.state === 'ready';
            })[0];
            var posted = this._batches.some(function (batch) {
                return batch.state === 'posted';
            });
            if (posted || this._pausedFor || this._early || !this._session) {
                return;
            }
            if (ready) {
                if (this._sure(ready)) {
                    this._post(ready);
                }
            } else if (this._waiting && this._batches.length < MOST_UNDER_WAY && this._sure(null)) {
                this._post(this._next());
            }
        },

        /** @returns {boolean} whether no earlier batch has failed: then they go one by one, to keep their order */
        _sure: function (batch) {
            return this._batches.every(function (other) {
                return batch && other.seq >= batch.seq || !other.failures;
            });
        },

        _next: function () {
            var all = this._bracket.closing() + this._waiting;
            var end = ns.Bytes.fitting(all, BATCH_BYTES);
            var bytes = ns.Bytes.utf8(all.substring(0, end));
            var batch = {command: ns.Bytes.encoded(bytes), bytes: bytes.length, seq: ++this._seq,
                key: this._calls.name(), request: null, state: 'ready', spent: {}, failures: 0,
                doubtful: false, pasting: this._bracket.open, watched: false, leftAt: this._timers.now()};
            this._waiting = all.substring(end);
            this._bracket.pass(all.substring(0, end));
            this._batches.push(batch);
            return batch;
        },

        _post: function (batch) {
            var key = batch.key || this._calls.name();
            var mine = function () {
                return batch.key === key && this._batches.indexOf(batch) >= 0;
            }.bind(this);
            batch.state = 'posted';
            batch.key = key;
            this._calls.post('/sessions/' + this._session + '/commands', {command: batch.command, mode: 'raw',
                stream: this._tab, seq: batch.seq, key: key}).then(this._still(mine, function (accepted) {
                this._taken(batch, accepted.request);
            }), this._still(mine, function (problem) {
                this._refused(batch, problem);
            }));
            this._timers.after(LATE_MS, this._still(function () {
                return mine() && batch.state === 'posted';
            }, this._late));
            this._onSent();
        },

        _late: function () {
            this._overdue = true;
            this._onProblem(new ns.Problem({status: 504, title: 'Not sent yet', own: true,
                detail: 'The instance has not answered for 3 seconds. It is tried again by itself.'}));
        },

        /** The instance has answered. */
        _punctual: function () {
            if (this._overdue) {
                this._overdue = false;
                this._onProblem(null);
            }
        },

        /** @returns {function} that does nothing once the keyboard was closed, or what it is about is settled */
        _still: function (open, fn) {
            var run = this._run;
            return function (value) {
                if (run === this._run && open()) {
                    fn.call(this, value);
                }
            }.bind(this);
        },

        _taken: function (batch, request) {
            this._punctual();
            if (batch.spent[request]) {
                // The repeated call of an attempt that is known to have failed.
                this._anew(batch);
            } else {
                batch.state = 'taken';
                batch.request = request;
                this._watch(batch, UNSETTLED_MS);
            }
            this._go();
        },

        _refused: function (batch, problem) {
            batch.state = 'ready';
            this._overdue = false;
            if (problem.passing() || problem.status === 401) {
                this._hold(problem);
            } else {
                this._give(problem);
            }
        },

        /** The way is closed: keep everything, and try again by itself unless somebody has to sign in. */
        _hold: function (problem) {
            this._pausedFor = problem;
            this._onProblem(problem);
            this._cancel();
            if (problem.passing()) {
                this._timer = this._timers.after(Math.max(this._pause, problem.retryAfterMs),
                    this._still(always, this._resume));
                this._pause = Math.min(this._pause * 2, LONGEST_PAUSE_MS);
            }
        },

        _resume: function () {
            this._cancel();
            this._pausedFor = null;
            this._batches.forEach(function (batch) {
                if (batch.state === 'taken' && !batch.watched) {
                    this._watch(batch, 0);
                }
            }, this);
            this._go();
        },

        /** It can never arrive: nothing that was typed after it may either. */
        _give: function (problem) {
            this._batches = [];
            this._shut();
            this._told = 'Read only';
            this._onProblem(problem);
            this._lost();
        },

        /** Nobody told of it for long: ask, in case the news got lost. */
        _watch: function (batch, pause) {
            var request = batch.request;
            var mine = function () {
                return batch.request === request && this._batches.indexOf(batch) >= 0;
            }.bind(this);
            batch.watched = true;
            this._timers.after(pause, this._still(mine, function () {
                batch.watched = !this._signedOut();
                if (batch.watched) {
                    this._check(batch, mine);
                    this._watch(batch, this._until(batch));
                }
            }));
        },

        /** @returns {number} milliseconds after which to ask again: after twice its age */
        _until: function (batch) {
            var age = this._timers.now() - batch.leftAt;
            return Math.min(Math.max(age, UNSETTLED_MS), SLOWEST_CHECK_MS);
        },

        /** @returns {boolean} then each call would ask for a password, until somebody has signed in */
        _signedOut: function () {
            return !!this._pausedFor && this._pausedFor.status === 401;
        },

        _check: function (batch, mine) {
            var settle = function (state, problem) {
                this.settled([{seq: batch.seq, request: batch.request, state: state, problem: problem}]);
            }.bind(this);
            this._calls.get('/requests/' + batch.request).then(this._still(mine, function (view) {
                if (view.state !== 'queued') {
                    settle(view.state, view.problem);
                } else {
                    this._unanswered(batch, view.problem);
                }
            }), this._still(mine, function (problem) {
                if (problem.status === 401) {
                    this._hold(problem);
                } else if (problem.status === 404 && problem.own) {
                    settle('failed', {status: 409, title: 'Outcome unknown'});
                }
            }));
        },

        _unanswered: function (batch, problem) {
            if (problem) {
                this._onProblem(ns.Problem.of(problem));
            } else if (this._timers.now() - batch.leftAt >= SILENT_MS) {
                this._onProblem(ns.Calls.silent());
            }
        },

        _settle: function (batch, item) {
            var problem = ns.Problem.of(item.problem || {status: 500, title: 'Fault'});
            if (item.state === 'done') {
                this._arrived(batch);
            } else if (problem.status === NO_ANSWER && batch.doubtful) {
                this._miss(batch);
                this._onProblem(ns.Problem.of({status: 409, title: 'Outcome unknown'}));
            } else if (problem.passing() && batch.seq > this._arrivedUpTo) {
                this._failed(batch, item.request, problem);
            } else if (problem.passing() || LOST[problem.title]) {
                // What was typed after it has arrived: now it would land in the wrong place.
                this._miss(batch);
                this._onProblem(problem.passing() ?
                    ns.Problem.of({status: 409, title: 'Out of order'}) : problem);
            } else {
                this._give(problem);
            }
        },

        _failed: function (batch, request, problem) {
            batch.spent[request] = true;
            batch.failures += 1;
            this._anew(batch);
            if (batch.failures > 1) {
                this._hold(problem); // the first time may have been bad luck, and speed keeps the order
            }
        },

        _anew: function (batch) {
            batch.state = 'ready';
            batch.request = null;
            batch.doubtful = false;
            batch.key = null;
        },

        _arrived: function (batch) {
            this._remove(batch);
            this._arrivedUpTo = Math.max(this._arrivedUpTo, batch.seq);
            this._times = this._times.concat(this._timers.now() - batch.leftAt).slice(-REMEMBERED);
            this.latency = median(this._times);
            this._pause = FIRST_PAUSE_MS;
            this._told = '';
            if (this._pausedFor) {
                this._resume();
            }
            this._onProblem(null);
        },

        /** It is lost, and with it perhaps the end of a paste. */
        _miss: function (batch) {
            this._remove(batch);
            if (batch.pasting) {
                this._bracket.doubt();
            }
        },

        _remove: function (batch) {
            this._batches = this._batches.filter(function (other) {
                return other !== batch;
            });
        },

        /** Once, until something changes. */
        _say: function (title, detail) {
            if (this._told !== title) {
                this._told = title;
                this._onProblem(new ns.Problem({status: 409, title: title, detail: detail, own: true}));
            }
        },

        _cancel: function () {
            if (this._timer) {
                this._timers.cancel(this._timer);
                this._timer = null;
            }
        }
    };

    function always() {
        return true;
    }

    function median(numbers) {
        var sorted = numbers.slice().sort(function (a, b) {
            return a - b;
        });
        return sorted[Math.floor(sorted.length / 2)];
    }

    ns.Keyboard = Keyboard;
}(window.claudeTerminal));
