window.claudeTerminal = window.claudeTerminal || {};

/** What is wrong with a session in a tab, by its kind, and which of it matters most. */
(function (ns) {
    'use strict';

    /** The first of these is shown. */
    var ORDER = ['over', 'link', 'claim', 'notice', 'reach', 'typing', 'screen'];
    var NOTICES = {'Typing lost': true, 'Out of order': true, 'Outcome unknown': true, 'Read only': true};
    var NOTICE_MS = 10000;

    /** @param {Object} given timers, onChange() */
    function Trouble(given) {
        this._timers = given.timers;
        this._onChange = given.onChange;
        this.clear();
    }

    Trouble.prototype = {
        /** Forget everything. */
        clear: function () {
            this._timers.cancel(this._ending);
            this._kinds = {};
        },

        /** Try again: what is over stays over, and a loss has to be seen for as long as ever. */
        retry: function () {
            this._kinds = {over: this._kinds.over, notice: this._kinds.notice};
        },

        /** The session is opened anew; only a loss is still to be seen. */
        renew: function () {
            this._kinds = {notice: this._kinds.notice};
        },

        /** @returns {?Problem} */
        of: function (kind) {
            return this._kinds[kind] || null;
        },

        /** @param {?Problem} problem null: it is over */
        note: function (kind, problem) {
            this._kinds[kind] = problem;
        },

        /** @returns {boolean} whether it is a loss: that has to be seen, also if what follows arrives at once */
        notice: function (problem) {
            var is = !!problem && NOTICES[problem.title] === true;
            if (is) {
                this.note('notice', problem);
                this._timers.cancel(this._ending);
                this._ending = this._timers.after(NOTICE_MS, this._end.bind(this));
            }
            return is;
        },

        /** Who types does not read along. */
        writing: function () {
            var notice = this.of('notice');
            if (notice && notice.title === 'Read only') {
                this.note('notice', null);
            }
        },

        /** @param {boolean} reachable @param {?string} why it is not, in the instance's own words */
        reach: function (reachable, why) {
            var way = /^The(?:re is no)? (MID Server|poller) /.exec(why || '');
            var title = way ? (way[1] === 'poller' ? 'Poller' : 'MID Server') + ' not available' : '';
            this.note('reach', reachable ? null : new ns.Problem({status: way ? 503 : 502, title: title,
                detail: why || '', own: true}));
        },

        /** @returns {?Problem} the one that matters most */
        first: function () {
            return ORDER.map(this.of, this).filter(Boolean)[0] || null;
        },

        /** @returns {boolean} then each call would ask for a password */
        signedOut: function () {
            return ORDER.map(this.of, this).some(function (problem) {
                return !!problem && problem.status === 401;
            });
        },

        _end: function () {
            this.note('notice', null);
            this._onChange();
        }
    };

    /** @returns {boolean} whether the application itself says that there is nothing more to follow */
    Trouble.final = function (problem) {
        return !!problem && (problem.status === 404 && problem.own || problem.title === 'Session ended');
    };

    ns.Trouble = Trouble;
}(window.claudeTerminal));
