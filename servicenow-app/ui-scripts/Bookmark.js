window.claudeTerminal = window.claudeTerminal || {};

/** Which session a tab opens by itself: the one a link names in the address, else the one it had open last. */
(function (ns) {
    'use strict';

    var NAME = 'claude_terminal.session';

    /**
     * @param {Object} given memory: of the tab; location: $location; calls; promises; known(id): the session, if
     *     it is in a list already; onFound(session); onMissed(?Problem): null when there is nothing to say
     */
    function Bookmark(given) {
        this._given = given;
        this._wanted = null;
    }

    Bookmark.prototype = {
        /** Look for the session; mostly this waits for nothing, because the lists came with the page. */
        open: function () {
            var asked = this._given.location.search().session;
            var id = asked || this._given.memory.read(NAME);
            if (id) {
                this._find({id: id, asked: !!asked});
            }
        },

        /** Look once more, if it could not be told whether the session is there. */
        again: function () {
            if (this._wanted) {
                this._given.onMissed(null);
                this._find(this._wanted);
            }
        },

        /** @param {?string} id of the session that is open now; null: none */
        put: function (id) {
            this._wanted = null;
            this._given.memory.write(NAME, id);
            this._readdress(id);
        },

        _find: function (wanted) {
            var given = this._given;
            this._wanted = wanted;
            given.promises.when(given.known(wanted.id) ||
                given.calls.get('/sessions/' + encodeURIComponent(wanted.id))
            ).then(this._still(wanted, given.onFound), this._still(wanted, function (problem) {
                this._missed(wanted, problem);
            }));
        },

        /** @returns {function} that does nothing once another session was picked, or this one looked for anew */
        _still: function (wanted, fn) {
            return function (value) {
                if (wanted === this._wanted) {
                    fn.call(this, value);
                }
            }.bind(this);
        },

        /** Only the application knows that a session is gone: after an outage it may be there again. */
        _missed: function (wanted, problem) {
            var gone = problem.own && problem.status === 404;
            if (gone) {
                this.put(null);
            }
            this._given.onMissed(gone && !wanted.asked ? null : problem);
        },

        /** Whoever reloads the page wants the session that is open, not the one that a link once named. */
        _readdress: function (id) {
            var named = this._given.location.search().session;
            if (named && named !== id) {
                // `spa` keeps a portal from loading the page anew because its address has changed.
                this._given.location.search('session', null).search('spa', '1').replace();
            }
        }
    };

    ns.Bookmark = Bookmark;
}(window.claudeTerminal));
