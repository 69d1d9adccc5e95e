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

    /** Nobody has looked at the page for this long: it rests. */
    var REST_MS = 600000;
    /** A picture for want of a better one is tried again after this. */
    var REPAINT_MS = 10000;
    /** The last words of a session may come a little later than the news that it has ended. */
    var LAST_WORDS_MS = 3000;
    var ENDED = {terminated: true, failed: true};

    /**
     * @param {Object} given calls, screen, timers, promises, onChange(view); attended(): whether somebody looks at
     *     the page; news, or watch to make one; feed and keyboard: functions that make one, for tests
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
        this._onChange = given.onChange || nothing;
        this._attended = given.attended || always;
        this._trouble = new ns.Trouble({timers: given.timers, onChange: this._changed.bind(this)});
        this._news = given.news || new ns.News({watch: given.watch, timers: given.timers});
        this._feed = make('feed', ns.Feed)({calls: this._calls, timers: this._timers,
            onOutput: this._output.bind(this), onGap: this._gap.bind(this), onState: this._state.bind(this),
            onInput: this._settled.bind(this), onProblem: this._note.bind(this, 'link'),
            after: this._after.bind(this)});
        this._picture = new ns.Picture({calls: this._calls, screen: this._screen, timers: this._timers,
            onPainted: this._painted.bind(this), onProblem: this._note.bind(this, 'screen')});
        this._size = new ns.Size({calls: this._calls, timers: this._timers, may: this._maySize.bind(this),
            onChanged: this._sized.bind(this)});
        this._claim = new ns.Claim({calls: this._calls, timers: this._timers, attended: this._attended,
            onWriter: this._writes.bind(this), onProblem: this._note.bind(this, 'claim')});
        this._keyboard = make('keyboard', ns.Keyboard)({calls: this._calls, timers: this._timers,
            onProblem: this._typed.bind(this), onSent: this._news.expect.bind(this._news)});
        this._screen.onData(this.type.bind(this));
        this._screen.onResize(this._resized.bind(this));
        this._run = 0;
        this._reset();
    }

    Attachment.prototype = {
        /**
         * The session that is open already is opened anew, and keeps what was typed into it.
         *
         * @param {Object} row a session as the REST interface gives it
         * @param {{take: boolean}} [how]
         */
        open: function (row, how) {
            var again = this._row && this._row.sessionId === row.sessionId;
            if (again) {
                this._halt();
                this._reset();
                this._keyboard.hold();
            } else {
                this.leave();
            }
            this._row = row;
            this._path = '/sessions/' + row.sessionId;
            this._take = !!(how && how.take);
            this._adopt(row);
            this.view.mid = row.mid || '';
            this._tab = this._claim.name(this._path);
            if (!again) {
                this._keyboard.open(row.sessionId, this._tab, true);
            }
            this._keyboard.retry();
            this._size.open(this._path);
            this._size.told(row.columns, row.rows, this._timers.now());
            this._begin(row.outputOffset || 0);
        },

        /** Type here from now on, and no longer in the tab that did. */
        take: function () {
            if (this._row && !this._over()) {
                if (!this.view.writer) {
                    this._keyboard.hold();
                }
                this._claim.ask(true);
            }
        },

        /** Let go of the session; it goes on. */
        leave: function () {
            if (this._row) {
                this._claim.release();
            }
            this._stop();
        },

        /** The page goes away, perhaps for good. A claim that is under way may have been granted already. */
        hide: function () {
            if (this._row && (this.view.writer || this._claim.asking)) {
                this._calls.beacon(this._path + '/viewers', {tab: this._tab, release: true});
            }
        },

        /** Nobody can see the page any more. Once that has lasted, it lets go until somebody can. */
        doze: function () {
            this._timers.cancel(this._dozing);
            if (this._row && !this._over() && !this._resting) {
                this._dozing = this._timers.after(REST_MS, this._still(this._rest));
            }
        },

        /** The page is looked at again, the computer woke up, or somebody asks to try again. */
        wake: function () {
            this._timers.cancel(this._dozing);
            if (!this._row) {
                return;
            }
            this._trouble.retry();
            this._calls.hurry();
            if (this._resting) {
                this._begin(this._feed.cursor);
            } else if (!this._over()) {
                this._claim.ask(false);
            }
            this._keyboard.retry();
            this._feed.hurry();
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
            this._trouble.renew();
            this._blank = true; // whether there is no picture yet that output goes on from
            this._resting = false;
            this._paintedAt = 0;
            this.view = {state: '', activity: null, reachable: true, problem: null, held: 0, writer: false,
                claimed: false, mode: 'push', latency: null, mid: '', columns: null, rows: null,
                painted: false};
        },

        _stop: function () {
            this._halt();
            this._claim.forget();
            this._keyboard.close();
            this._size.stop();
            this._trouble.clear();
            this._reset();
        },

        /** Follow no more; what was typed goes on its way all the same. */
        _halt: function () {
            this._run += 1;
            this._news.stop();
            this._feed.stop();
            this._picture.cancel();
            this._claim.stop();
            this._timers.cancel(this._dozing);
        },

        /** Follow, from a picture on. @param {number} end of the output that is known to be stored */
        _begin: function (end) {
            this._resting = false;
            this._blank = true;
            this._from = end;
            this._news.follow(this._row.sysId, this._heard.bind(this));
            this._paint(end);
            if (this._over()) {
                this._end();
            } else {
                this._claim.open(this._path, this._take);
            }
            this._changed();
        },

        /** Nobody looks, so neither the sidecar nor the instance should have to work for it. */
        _rest: function () {
            if (this._over() || this._keyboard.busy()) {
                this.doze(); // what was typed is not forgotten
                return;
            }
            this._claim.release();
            this._halt();
            this._resting = true;
            this._take = false;
            this.view.writer = false;
            this.view.claimed = false;
            this._keyboard.hold();
            this._changed();
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
            return !!ENDED[this.view.state] || !!this._trouble.of('over');
        },

        // --- who types -----------------------------------------------------------------------------------

        /** @param {?string} tab the one that types now */
        _writes: function (tab) {
            var before = this.view.writer;
            this.view.writer = tab === this._tab;
            this.view.claimed = true;
            if (before !== this.view.writer) {
                this._note('typing', null);
            }
            if (this.view.writer) {
                this._types(before);
            } else {
                this._claim.others = true;
                this._keyboard.disable();
            }
            if (before !== this.view.writer) {
                this._fitted();
            }
            this._changed();
        },

        /** @param {boolean} before whether it did already */
        _types: function (before) {
            if (!before && this._claim.others) {
                this._keyboard.displaced();
            }
            this._claim.others = this._take = false;
            this._trouble.writing();
            this._ready();
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
            this._blank = false;
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
            if (this._trouble.signedOut()) {
                return;
            }
            if (!this._over()) {
                this._claim.renew();
            }
            this._look();
        },

        /** While the picture is awaited, what else there is to know is followed all the same. */
        _look: function () {
            if (this._blank && !this._feed.following()) {
                this._feed.start(this._row.sessionId, this._from, this._tab);
            } else {
                this._feed.look();
            }
        },

        _output: function (bytes) {
            if (!this._blank) {
                this._screen.write(bytes);
            }
            this._news.active();
        },

        /** Bytes are gone, so that what follows would be painted over the wrong picture. */
        _gap: function () {
            if (!this._over() && !this._blank) {
                this._paint(this._feed.cursor);
            }
        },

        _settled: function (items) {
            this._keyboard.settled(items);
            if (!this._keyboard.busy()) {
                this._news.calm();
            }
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
            if (askedAt > this._claim.answeredAt && !this._over() && answer.writer !== undefined) {
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
            } else if (!writer && !this.view.writer && !this._claim.asking && this._attended()) {
                this._claim.ask(false); // nobody types any more
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
            if (this._picture.rough && !this._blank && this.view.reachable &&
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
            this._trouble.reach(view.reachable, told.problem);
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
            this._claim.stop();
            this._timers.cancel(this._dozing);
            this.view.writer = false;
            this._note('over', this._trouble.of('over') ||
                new ns.Problem({status: 409, title: 'Session ended', own: true}));
        },

        // --- what is wrong -------------------------------------------------------------------------------

        _typed: function (problem) {
            if (this._row && this._trouble.notice(problem)) {
                this._changed();
            } else {
                this._note('typing', problem);
            }
        },

        _note: function (kind, problem) {
            if (!this._row) {
                return;
            }
            this._trouble.note(kind, problem);
            if (problem && problem.title === 'Another tab writes') {
                this._trouble.note(kind, null);
                this._claim.ask(false); // who writes is asked, not guessed
            }
            if (kind !== 'over' && kind !== 'screen' && ns.Trouble.final(problem)) {
                this._trouble.note('over', problem);
                this._end();
            }
            this._changed();
        },

        _changed: function () {
            this.view.problem = this._trouble.first();
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

    function always() {
        return true;
    }

    ns.Attachment = Attachment;
}(window.claudeTerminal));
