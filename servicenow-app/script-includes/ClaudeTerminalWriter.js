/**
 * Which browser tab types into a session; the user's other tabs only look. It is a lease that the tab renews
 * while it looks, so a tab that died frees it by itself.
 *
 * Two tabs that claim it at the same moment both write, and the later write stays: whoever lost it sees the
 * row change, and its commands are refused. A tab that is left does not clear the tab that types, it only puts
 * its own name beside it: so a release that comes late cannot undo a take-over.
 */
var ClaudeTerminalWriter = Class.create();

ClaudeTerminalWriter.prototype = {
    TAB: /^[0-9a-f]{32}$/,
    RENEW_EACH_SECONDS: 10,

    /** @param {GlideRecord} session */
    initialize: function (session) {
        this._session = session;
        this._clock = new ClaudeTerminalClock();
        this._seconds = new ClaudeTerminalSettings().viewerSeconds();
    },

    /** @returns {?string} the tab that types, if its lease has not run out */
    tab: function () {
        var tab = this._session.getValue('writer');
        var left = this._session.getValue('writer_left');
        return tab && tab !== left && this._age() < this._seconds ? tab : null;
    },

    /**
     * A tab looks at the session. It may type if it did, if no other does, or if it takes that over.
     *
     * @param {string} tab
     * @param {boolean} take whether to displace another tab
     * @returns {Object} columns of the session that are to change
     */
    claim: function (tab, take) {
        var writer = this.tab();
        if (tab !== writer && (take || !writer)) {
            return {writer: tab, writer_at: this._clock.now(), writer_left: ''};
        }
        return tab === writer && this._age() >= Math.min(this.RENEW_EACH_SECONDS, this._seconds / 2) ?
            {writer_at: this._clock.now()} : {};
    },

    /** @returns {Object} columns of the session that are to change when the tab is left */
    release: function (tab) {
        return this._session.getValue('writer') === tab ? {writer_left: tab} : {};
    },

    /**
     * @param {?string} stream who numbers the command: a tab, or null for who does not say
     * @returns {?ClaudeTerminalProblem} why it may not type
     */
    refusal: function (stream) {
        var writer = stream ? this.tab() : null;
        return !writer || writer === stream ? null : new ClaudeTerminalProblem(409, 'Another tab writes',
            'Another tab of yours types into this session. Take it over in this one, or go on in that one.');
    },

    _age: function () {
        return this._clock.since(this._session.getValue('writer_at'));
    },

    type: 'ClaudeTerminalWriter'
};
