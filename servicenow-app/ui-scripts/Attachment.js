window.claudeTerminal = window.claudeTerminal || {};

/**
 * One session in one tab: its screen painted, its output following, what is typed on its way. It stays attached
 * through outages and says what is wrong meanwhile.
 *
 * Only one tab types into a session. Who that is, the instance decides; a tab renews its claim while it looks.
 *
 * @typedef {Object} View
 * @property {string} state
 * @property {?string} activity
 * @property {boolean} reachable
 * @property {?Problem} problem the one that matters most
 * @property {number} held bytes that were typed and wait until the way is open again
 * @property {boolean} writer whether this tab types
 * @property {boolean} claimed whether it is known who types
 * @property {string} mode push or polling
 * @property {?number} latency median milliseconds from a key to its answer
 * @property {string} mid
 * @property {?number} columns
 * @property {?number} rows
 * @property {boolean} painted
 */
(function (ns) {
    'use strict';

    var RETRY_MS = 5000;
    /** A picture for want of a better one is tried again after this. */
    var REPAINT_MS = 10000;
    /** The last words of a session may come a little later than the news that it has ended. */
    var LAST_WORDS_MS = 3000;
    var NOTICE_MS = 10000;
    var NOTICES = {'Typing lost': true, 'Out of order': true, 'Outcome unknown': true, 'Read only': true};
    var ENDED = {terminated: true, failed: true};
    /** Which problem is shown when there are several: the first of these. */
    var ORDER = ['over', 'link', 'claim', 'notice', 'reach', 'typing', 'screen'];

    /**
     * @param {Object} given calls, screen, timers, promises, onChange(view); news, or watch to make one; feed and
     *     keyboard: functions that make one, for tests
     */
    function Attachment(given) {
        var make = function (name, Class) {
            return given[name] || function (parts) {
                return new Class(parts);
            };
        };
        this._calls = given.calls;
        this._screen = given.screen;
        this._timers = given.timers;
        this._promises = given.promises;
        this._onChange = given.onChange || function () {};
        this._news = given.news || new ns.News({watch: given.watch, timers: given.timers});
        this._feed = make('feed', ns.Feed)({calls: this._calls, timers: this._timers,
            onOutput: this._output.bind(this), onGap: this._gap.bind(this), onState: this._state.bind(this),
            onInput: this._settled.bind(this), onProblem: this._note.bind(this, 'link'),
            after: this._after.bind(this)});
        this._picture = new ns.Picture({calls: this._calls, screen: this._screen, timers: this._timers,
            onPainted: this._painted.bind(this), onProblem: this._note.bind(this, 'screen')});
        this._size = new ns.Size({calls: this._calls, timers: this._timers, may: this._maySize.bind(this),
            onChanged: this._sized.bind(this)});
        this._keyboard = make('keyboard', ns.Keyboard)({calls: this._calls, timers: this._timers,
            onProblem: this._typed.bind(this), onSent: this._news.active.bind(this._news)});
        this._screen.onData(this.type.bind(this));
        this._screen.onResize(this._resized.bind(this));
        this._run = 0;
        this._reset();
    }

    Attachment.prototype = {
        /** @param {Object} row a session as the REST interface gives it @param {{take: boolean}} [how] */
        open: function (row, how) {
            this.leave();
            this._run += 1;
            this._row = row;
            this._path = '/sessions/' + row.sessionId;
            this._tab = this._calls.name();
            this._adopt(row);
            this.view.mid = row.mid || '';
            this._keyboard.open(row.sessionId, this._tab, true);
            this._size.open(this._path);
            this._size.told(row.columns, row.rows, this._timers.now());
            this._news.follow(row.sysId, this._heard.bind(this));
            this._paint(row.outputOffset || 0);
            if (this._over()) {
                this._end();
            } else {
                this._claim(how && how.take);
            }
            this._changed();
        },

        /** Type here from now on, and no longer in the tab that did. */
        take: function () {
            if (this._row && !this._over()) {
                if (!this.view.writer) {
                    this._keyboard.hold();
                }
                this._claim(true);
            }
        },

        /** Let go of the session; it goes on. */
        leave: function () {
            if (this._row && this.view.writer) {
                // Nobody waits for it: a claim that is not renewed runs out.
                this._calls.post(this._path + '/viewers', {tab: this._tab, release: true})
                    .then(null, nothing);
            }
            this._stop();
        },

        /** The page goes away, perhaps for good. */
        hide: function () {
            if (this._row && this.view.writer) {
                this._calls.beacon(this._path + '/viewers', {tab: this._tab, release: true});
            }
        },

        /** The page is looked at again, the computer woke up, or somebody asks to try again. */
        wake: function () {
            if (!this._row) {
                return;
            }
            this._problems = {over: this._problems.over};
            if (!this._over()) {
                this._claim(false);
            }
            this._keyboard.retry();
            this._look();
            this._changed();
        },

        /** @param {string} text as it comes from a keyboard, control characters and all */
        type: function (text) {
            if (this._row && !this._over()) {
                this._keyboard.type(text);
                if (this._keyboard.held()) {
                    this._changed();
                }
            }
        },

        _reset: function () {
            this._row = null;
            this._ended = false;
            this._problems = {};
            this._claimedAt = -1;
            this._claims = 0;
            this._claiming = false;
            this._beatDue = 0;
            this._paintedAt = 0;
            this.view = {state: '', activity: null, reachable: true, problem: null, held: 0, writer: false,
                claimed: false, mode: 'polling', latency: null, mid: '', columns: null, rows: null,
                painted: false};
        },

        _stop: function () {
            this._run += 1;
            this._news.stop();
            this._feed.stop();
            this._picture.cancel();
            this._keyboard.close();
            this._timers.cancel(this._beat);
            this._size.stop();
            this._timers.cancel(this._notice);
            this._reset();
        },

        /** @returns {function} that does nothing once the session was left */
        _still: function (fn) {
            var run = this._run;
            return function (value) {
                if (run === this._run) {
                    fn.call(this, value);
                }
            }.bind(this);
        },

        _over: function () {
            return !!ENDED[this.view.state] || !!this._problems.over;
        },

        // --- who types -----------------------------------------------------------------------------------

        _claim: function (take) {
            var body = {tab: this._tab};
            var claim = ++this._claims;
            if (take) {
                body.take = true;
            }
            this._timers.cancel(this._beat);
            this._claiming = true;
            this._beatDue = 0;
            this._calls.post(this._path + '/viewers', body).then(this._still(function (answer) {
                this._claiming = claim !== this._claims;
                this._note('claim', null);
                if (claim === this._claims) {
                    this._claimedAt = this._timers.now();
                    this._writes(answer.writer);
                    this._plan(answer.seconds * 500);
                }
            }), this._still(function (problem) {
                this._claiming = claim !== this._claims;
                this._note('claim', problem);
                if (problem.passing() && claim === this._claims) {
                    this._plan(Math.max(RETRY_MS, problem.retryAfterMs));
                }
            }));
        },

        _plan: function (pause) {
            this._beatDue = this._timers.now() + pause;
            this._beat = this._timers.after(pause, this._still(this._claim.bind(this, false)));
        },

        /** @param {?string} tab the one that types now */
        _writes: function (tab) {
            var before = this.view.writer;
            this.view.writer = tab === this._tab;
            this.view.claimed = true;
            if (this.view.writer) {
                this._ready();
            } else {
                this._keyboard.disable();
            }
            if (before !== this.view.writer) {
                this._note('typing', null);
                this._note('notice', null);
                this._fitted();
            }
            this._changed();
        },

        /** A session that starts takes no keys yet; what is typed meanwhile is kept. */
        _ready: function () {
            if (this.view.writer && this.view.state !== 'starting') {
                this._keyboard.enable();
            }
        },

        // --- the picture ---------------------------------------------------------------------------------

        _paint: function (end) {
            this._picture.paint({path: this._path, end: end, columns: this.view.columns, rows: this.view.rows,
                // A program that starts has printed nothing yet, one that ended will never answer.
                rendered: !this._over() && this.view.state !== 'starting'});
        },

        _painted: function (offset) {
            this.view.painted = true;
            this._paintedAt = this._timers.now();
            this._feed.start(this._row.sessionId, offset, this._tab);
            this._fitted();
            this._changed();
        },

        /** The tab that types has the say about the size; the others shrink their letters. */
        _fitted: function () {
            if (!this.view.painted) {
                return;
            }
            if (this.view.writer) {
                this._screen.fit();
                this._size.send();
            } else if (this.view.columns && this.view.rows) {
                this._size.forget();
                this._screen.fix(this.view.columns, this.view.rows);
            }
        },

        _resized: function (columns, rows) {
            if (this._row && this.view.writer) {
                this._size.want(columns, rows);
            }
        },

        _maySize: function () {
            return this.view.writer && this.view.state === 'running' && this.view.reachable;
        },

        /** No news of it may have come yet. */
        _sized: function (columns, rows) {
            this.view.columns = columns;
            this.view.rows = rows;
            this._look();
        },

        // --- what comes ----------------------------------------------------------------------------------

        /** Something may be new. What it is, only a read tells: events come late and may be lost. */
        _heard: function () {
            if (this._signedOut()) {
                return; // each call would ask for a password
            }
            if (this._beatDue && this._timers.now() > this._beatDue && !this._over()) {
                this._claim(false); // the timers of a hidden page are late
            }
            this._look();
        },

        _look: function () {
            this._feed.look();
        },

        _output: function (bytes) {
            this._screen.write(bytes);
            this._news.active();
        },

        /** Bytes are gone, so that what follows would be painted over the wrong picture. */
        _gap: function () {
            if (!this._over()) {
                this._paint(this._feed.cursor);
            }
        },

        _settled: function (items) {
            this._keyboard.settled(items);
        },

        _after: function () {
            return this._keyboard.after();
        },

        _state: function (answer, askedAt) {
            var before = {state: this.view.state, reachable: this.view.reachable};
            this._adopt(answer);
            this._size.told(answer.columns, answer.rows, askedAt);
            this._news.found(answer.outputSeq);
            // A read that left before the claim was answered tells what was before it.
            if (askedAt > this._claimedAt && !this._over() && answer.writer !== undefined) {
                this._told(answer.writer);
            }
            if (this._over()) {
                this._end();
            } else {
                this._moved(before);
            }
            this._changed();
        },

        _told: function (writer) {
            if (writer && (writer === this._tab) !== this.view.writer) {
                this._writes(writer);
            } else if (!writer && !this.view.writer && !this._claiming) {
                this._claim(false); // nobody types any more
            }
        },

        _moved: function (before) {
            var back = this.view.reachable && !before.reachable;
            if (before.state === 'starting') {
                this._ready();
            }
            if (back) {
                this._keyboard.retry();
            }
            if (this.view.state === 'interrupted' && before.state !== 'interrupted') {
                this._keyboard.interrupted();
            }
            if (this._picture.rough && this.view.reachable &&
                    (back || this._timers.now() - this._paintedAt > REPAINT_MS)) {
                this._paint(this._feed.cursor);
            }
            if (back || before.state !== this.view.state) {
                this._size.send();
            }
        },

        /** Take over what a row or an answer tells of the session. */
        _adopt: function (told) {
            var size = this.view.columns + ' ' + this.view.rows;
            var view = this.view;
            ['state', 'activity', 'columns', 'rows'].forEach(function (name) {
                view[name] = told[name] || view[name];
            });
            view.reachable = told.reachable !== false;
            this._problems.reach = view.reachable ? null : unreachable(told.problem);
            if (size !== view.columns + ' ' + view.rows && !view.writer) {
                this._fitted();
            }
        },

        _end: function () {
            if (!this._ended) {
                this._ended = true;
                this._timers.after(LAST_WORDS_MS, this._still(this._look));
            }
            this._keyboard.disable();
            this._news.stop();
            this._timers.cancel(this._beat);
            this.view.writer = false;
            this._note('over', this._problems.over || new ns.Problem({status: 409, title: 'Session ended',
                own: true}));
        },

        // --- what is wrong -------------------------------------------------------------------------------

        /** A loss has to be seen, also if what was typed after it arrives at once. */
        _typed: function (problem) {
            if (problem && NOTICES[problem.title]) {
                this._timers.cancel(this._notice);
                this._notice = this._timers.after(NOTICE_MS,
                    this._still(this._note.bind(this, 'notice', null)));
                this._note('notice', problem);
            } else {
                this._note('typing', problem);
            }
        },

        _note: function (kind, problem) {
            if (!this._row) {
                return;
            }
            this._problems[kind] = problem;
            if (problem && problem.title === 'Another tab writes') {
                this._problems[kind] = null;
                this._claim(false); // who writes is asked, not guessed
            }
            if (problem && (problem.status === 404 || problem.title === 'Session ended') && kind !== 'over' &&
                    kind !== 'screen') {
                this._problems.over = problem;
                this._end();
            }
            this._changed();
        },

        _signedOut: function () {
            return ORDER.some(function (kind) {
                return this._problems[kind] && this._problems[kind].status === 401;
            }, this);
        },

        _changed: function () {
            var problems = this._problems;
            this.view.problem = ORDER.map(function (kind) {
                return problems[kind];
            }).filter(Boolean)[0] || null;
            this.view.held = this._keyboard.held();
            if (this.view.problem) {
                this.view.problem.held = this.view.held;
            }
            this.view.mode = this._news.mode;
            this.view.latency = this._keyboard.latency;
            this._onChange(this.view);
        }
    };

    function nothing() {
    }

    /** @param {?string} why the instance's own words */
    function unreachable(why) {
        var mid = /^The(re is no)? MID Server/.test(why || '');
        return new ns.Problem({status: mid ? 503 : 502, title: mid ? 'MID Server not available' : '',
            detail: why || '', own: true});
    }

    ns.Attachment = Attachment;
}(window.claudeTerminal));
