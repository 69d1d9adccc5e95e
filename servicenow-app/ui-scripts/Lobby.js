window.claudeTerminal = window.claudeTerminal || {};

/** What there is to choose from while no terminal is open: the user's sessions, MID Servers and keys. */
(function (ns) {
    'use strict';

    var LOOK_EACH_MS = 15000;
    /** How many sessions that have ended are listed, and how many more each time somebody asks. */
    var ENDED_STEP = 20;

    /**
     * @param {Object} given fetch(ended): promise of the lists as the widget's server script gives them, with
     *     that many sessions that have ended; timers; idle(): whether somebody sees the lists; onChange()
     */
    function Lobby(given) {
        this._given = given;
        this._timer = null;
        /** Why the lists are old. @type {?Problem} */
        this.problem = null;
        /** Why there are none, in words. @type {?Advice} */
        this.refused = null;
        this.sessions = [];
        /** Whether more sessions have ended than are listed. */
        this.more = false;
        this._ended = ENDED_STEP;
        this.mids = [];
        this.up = [];
        this.keyed = [];
    }

    Lobby.prototype = {
        /** @param {{sessions: Object[], mids: Object[], keyed: string[], more: boolean,
         *     problem: ?Object}} lists */
        take: function (lists) {
            this.refused = lists.problem ? ns.Problem.of(lists.problem).advice() : null;
            this.sessions = ns.Label.all(lists.sessions, this._given.timers.now());
            this.more = !!lists.more;
            this.mids = lists.mids;
            this.keyed = lists.keyed;
            this.up = lists.mids.filter(function (mid) {
                return mid.state === 'up';
            });
            this.problem = null;
            this._given.onChange();
        },

        /** @returns {Promise} never rejected: what went wrong is in `problem` */
        refresh: function () {
            return this._given.fetch(this._ended).then(this.take.bind(this), function (answer) {
                this.problem = ns.Problem.of(answer);
                this._given.onChange();
            }.bind(this));
        },

        /** List more of the sessions that have ended. */
        lengthen: function () {
            this._ended += ENDED_STEP;
            return this.refresh();
        },

        /** Keep the lists fresh while they are all there is to see; after a failure somebody has to ask. */
        open: function () {
            this._timer = this._given.timers.after(LOOK_EACH_MS, function () {
                if (this._given.idle() && !this.problem) {
                    this.refresh();
                }
                this.open();
            }.bind(this));
        },

        close: function () {
            this._given.timers.cancel(this._timer);
        },

        /** @returns {?Object} the session, if it is in the list */
        find: function (id) {
            return this.sessions.filter(function (session) {
                return session.sessionId === id;
            })[0] || null;
        },

        /** @returns {string} for a MID Server's place in a form: why it cannot be chosen, '' if it can */
        lacks: function (mid) {
            if (mid.state !== 'up') {
                return 'not available';
            }
            return this.keyed.indexOf(mid.name) < 0 ? 'no key stored' : '';
        },

        /** @returns {string} what a user has to do first, or refused, choose, first */
        stage: function () {
            if (this.refused) {
                return 'refused';
            }
            if (!this.mids.length) {
                return 'unset';
            }
            if (!this.keyed.length && !this._living()) {
                return 'keyless';
            }
            return this.sessions.length ? 'choose' : this.up.length ? 'first' : 'down';
        },

        /** @returns {string} why no session can be started, '' if one can */
        obstacle: function () {
            if (!this.keyed.length) {
                return 'Store an API key first';
            }
            return this.up.length ? '' : 'No ' + this.kind() + ' is available';
        },

        /** @returns {string} what sessions are placed on, in a sentence */
        kind: function () {
            return this.mids.length && this.mids[0].bridge === 'poller' ? 'poller' : 'MID Server';
        },

        /** Who has removed a key still wants to see what goes on with it. */
        _living: function () {
            return this.sessions.some(function (session) {
                return !ns.Label.ended(session);
            });
        }
    };

    ns.Lobby = Lobby;
}(window.claudeTerminal));
