window.claudeTerminal = window.claudeTerminal || {};

/**
 * A tab's claim to type into a session. The instance decides; a claim is renewed while the tab is open, and one
 * that is not runs out.
 *
 * A tab that nobody looks at keeps its claim, but claims nothing new: it would resize a program in somebody's back.
 */
(function (ns) {
    'use strict';

    var RETRY_MS = 5000;
    /** Whether a take-over that got lost was made is asked soon: somebody waits to type. */
    var SOON_MS = 500;
    /** The tab before, which was reloaded, may still be letting go: who only reads is not sure at once. */
    var FIRST_MS = 1000;
    /** A tab lets go within this, or what it said got lost. */
    var RELEASE_MS = 3000;

    /**
     * @param {Object} given calls, timers; attended(): whether somebody looks at the page;
     *     onWriter(?string): the tab that types now; onProblem(?Problem)
     */
    function Claim(given) {
        this._calls = given.calls;
        this._timers = given.timers;
        this._attended = given.attended;
        this._onWriter = given.onWriter;
        this._onProblem = given.onProblem;
        this._leaving = {}; // path of a session → what waits until it is free
        this._asked = 0;
        this._path = null;
        /** 32 hex digits, the same as long as the session is. */
        this.tab = null;
        this.stop();
    }

    Claim.prototype = {
        /** @param {string} path of the session @param {boolean} take whether another tab may be displaced */
        open: function (path, take) {
            this.name(path);
            this.ask(take);
        },

        /** @param {string} path of the session @returns {string} the tab's name in it */
        name: function (path) {
            this.tab = path === this._path ? this.tab : this._calls.name();
            this._path = path;
            return this.tab;
        },

        /** Claim, or renew the claim. */
        ask: function (take) {
            var asked = ++this._asked;
            this._timers.cancel(this._beat);
            this._timers.cancel(this._first);
            this.others = this.others || !!take;
            this.asking = true;
            this._dueAt = 0;
            this._freed(this._path, this._still(asked, this._post.bind(this, !!take, asked)));
        },

        /** The timers of a hidden page are late: renew the claim if it is time. */
        renew: function () {
            if (this._dueAt && this._timers.now() > this._dueAt) {
                this.ask(false);
            }
        },

        /** Renew nothing more. */
        stop: function () {
            this._asked += 1;
            this._timers.cancel(this._beat);
            this._timers.cancel(this._first);
            this.asking = false;
            /** Whether another tab may have typed since this one did. */
            this.others = false;
            this.mine = false;
            this._known = false;
            this._dueAt = 0;
            /** When it was answered last. */
            this.answeredAt = -1;
        },

        /** Free the session. Nobody waits for it: a claim that is not renewed runs out. */
        release: function () {
            var path = this._path;
            var freed = this._free.bind(this, path);
            if (this.mine) {
                this._leaving[path] = [];
                this._calls.post(path + '/viewers', {tab: this.tab, release: true}).then(freed, freed);
                this._timers.after(RELEASE_MS, freed);
            }
            this.stop();
        },

        /** Another session comes, or none: the name is used up. */
        forget: function () {
            this.stop();
            this._path = null;
        },

        /** A claim that overtakes the release of the one before would be refused, and then nobody typed. */
        _freed: function (path, fn) {
            if (this._leaving[path]) {
                this._leaving[path].push(fn);
            } else {
                fn();
            }
        },

        _free: function (path) {
            var waiting = this._leaving[path] || [];
            delete this._leaving[path];
            waiting.forEach(function (fn) {
                fn();
            });
        },

        _still: function (asked, fn) {
            return function (value) {
                if (asked === this._asked) {
                    fn.call(this, value);
                }
            }.bind(this);
        },

        _post: function (take, asked) {
            var claims = take || this.mine || !this._known || this._attended();
            var body = claims ? {tab: this.tab} : {};
            if (take) {
                body.take = true;
            }
            this._calls.post(this._path + '/viewers', body).then(this._still(asked, function (answer) {
                this._answered(answer, claims);
            }), this._still(asked, function (problem) {
                this._refused(problem, take);
            }));
        },

        _answered: function (answer, claimed) {
            this.asking = false;
            this._plan(answer.seconds * 500);
            this._onProblem(null);
            if (claimed) {
                this.answeredAt = this._timers.now();
                this.mine = answer.writer === this.tab;
                this._tell(answer.writer);
            }
        },

        _tell: function (writer) {
            var tell = this._still(this._asked, this._onWriter.bind(null, writer));
            this.others = this.others || !this.mine;
            if (this._known || this.mine) {
                tell();
            } else {
                this._first = this._timers.after(FIRST_MS, tell);
            }
            this._known = true;
        },

        _refused: function (problem, take) {
            this.asking = false;
            if (problem.passing()) {
                this._plan(Math.max(take ? SOON_MS : RETRY_MS, problem.retryAfterMs));
            }
            this._onProblem(problem);
        },

        _plan: function (pause) {
            this._dueAt = this._timers.now() + pause;
            this._beat = this._timers.after(pause, this._still(this._asked, this.ask.bind(this, false)));
        }
    };

    ns.Claim = Claim;
}(window.claudeTerminal));
