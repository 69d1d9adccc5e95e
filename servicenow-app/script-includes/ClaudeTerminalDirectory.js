/** A user's own sessions, as lists. */
var ClaudeTerminalDirectory = Class.create();

ClaudeTerminalDirectory.prototype = {
    STATES: ['starting', 'running', 'hibernated', 'interrupted', 'terminated', 'failed'],

    /** @param {string} user sys_id */
    initialize: function (user) {
        this._user = user;
    },

    /** @returns {{items: Object[], total: number, limit: number, offset: number}} newest first */
    page: function (limit, offset, state) {
        var values = {user: this._user};
        var items = [];
        var session;
        if (state !== '') {
            values.state = this._state(state);
        }
        session = new ClaudeTerminalTable('session').query(values);
        session.orderByDesc('sys_created_on');
        session.orderBy('sys_id');
        session.chooseWindow(offset, offset + limit);
        session.query();
        while (session.next()) {
            items.push(new ClaudeTerminalSessions().view(session));
        }
        return {items: items, total: this._count(values), limit: limit, offset: offset};
    },

    /** @returns {string[]} MID Servers with sessions of the user; or the one that is named, if it is one */
    mids: function (wanted) {
        var session = new GlideAggregate('x_claude_terminal_session');
        var names = [];
        session.addQuery('user', this._user);
        session.groupBy('mid_name');
        session.addAggregate('COUNT');
        session.query();
        while (session.next()) {
            names.push(session.getValue('mid_name'));
        }
        return names.filter(function (name) {
            return !wanted || name === wanted;
        });
    },

    _count: function (values) {
        var count = new GlideAggregate('x_claude_terminal_session');
        Object.keys(values).forEach(function (column) {
            count.addQuery(column, values[column]);
        });
        count.addAggregate('COUNT');
        count.query();
        return count.next() ? Number(count.getAggregate('COUNT')) : 0;
    },

    _state: function (state) {
        if (this.STATES.indexOf(state) < 0) {
            throw new ClaudeTerminalProblem(422, 'Invalid request',
                'state must be one of ' + this.STATES.join(', ') + '.');
        }
        return state;
    },

    type: 'ClaudeTerminalDirectory'
};
