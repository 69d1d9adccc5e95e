/** A user's own sessions, as lists. */
var ClaudeTerminalDirectory = Class.create();

ClaudeTerminalDirectory.prototype = {
    STATES: ['starting', 'running', 'hibernated', 'interrupted', 'terminated', 'failed'],
    /** Words for several states: a living session must be found though hundreds have ended since. */
    GROUPS: {living: ['starting', 'running', 'hibernated', 'interrupted'], ended: ['terminated', 'failed']},

    /** @param {string} user sys_id */
    initialize: function (user) {
        this._user = user;
    },

    /**
     * @param {number} limit
     * @param {number} offset
     * @param {string} state one of them, or of the groups; '' for all
     * @returns {{items: Object[], total: number, limit: number, offset: number}} newest first
     */
    page: function (limit, offset, state) {
        var states = state === '' ? [] : this._states(state);
        var items = [];
        var session = new GlideRecord('x_claude_terminal_session');
        this._narrow(session, states);
        session.orderByDesc('sys_created_on');
        session.orderBy('sys_id');
        session.chooseWindow(offset, offset + limit);
        session.query();
        while (session.next()) {
            items.push(new ClaudeTerminalSessions().view(session));
        }
        return {items: items, total: this._count(states), limit: limit, offset: offset};
    },

    /** @returns {Host[]} with sessions of the user; those of the name that is given, if one is */
    hosts: function (wanted) {
        return new ClaudeTerminalHosts().of(this._user).filter(function (host) {
            return !wanted || host.name === wanted;
        });
    },

    _count: function (states) {
        var count = new GlideAggregate('x_claude_terminal_session');
        this._narrow(count, states);
        count.addAggregate('COUNT');
        count.query();
        return count.next() ? Number(count.getAggregate('COUNT')) : 0;
    },

    _narrow: function (query, states) {
        query.addQuery('user', this._user);
        if (states.length) {
            query.addQuery('state', 'IN', states.join(','));
        }
    },

    _states: function (state) {
        var words = this.STATES.concat(Object.keys(this.GROUPS));
        if (words.indexOf(state) < 0) {
            throw new ClaudeTerminalProblem(422, 'Invalid request',
                'state must be one of ' + words.join(', ') + '.');
        }
        return this.GROUPS[state] || [state];
    },

    type: 'ClaudeTerminalDirectory'
};
