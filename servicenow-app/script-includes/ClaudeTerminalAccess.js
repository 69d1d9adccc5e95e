/**
 * Who may do what. What belongs to another user does not exist for the caller: the same 404, in the same
 * words.
 */
var ClaudeTerminalAccess = Class.create();

ClaudeTerminalAccess.prototype = {
    UUID: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    SYS_ID: /^[0-9a-f]{32}$/,

    initialize: function () {
    },

    /** @returns {string} sys_id of the signed-in user, who has the user role */
    user: function () {
        return this._having('x_claude_terminal.user');
    },

    /** @returns {string} sys_id of the signed-in user, who has the admin role */
    admin: function () {
        return this._having('x_claude_terminal.admin');
    },

    /** @returns {string} sys_id of the signed-in user, who has the role of an ECC poller */
    poller: function () {
        return this._having('x_claude_terminal.bridge');
    },

    /** @returns {GlideRecord} the caller's session of this id */
    session: function (id) {
        return this._own('session', 'session_id', this.UUID.test(id) ? id : '', 'There is no such session.');
    },

    /** @returns {GlideRecord} the caller's request */
    request: function (id) {
        return this._own('request', 'sys_id', this.SYS_ID.test(id) ? id : '', 'There is no such request.');
    },

    /** @returns {GlideRecord} the caller's credential */
    credential: function (id) {
        return this._own('credential', 'sys_id', this.SYS_ID.test(id) ? id : '',
            'There is no such credential.');
    },

    _having: function (role) {
        var user = gs.getUserID();
        if (!user || !gs.hasRole(role)) {
            throw new ClaudeTerminalProblem(403, 'Forbidden', 'This needs the role ' + role + '.');
        }
        return String(user);
    },

    _own: function (table, column, value, otherwise) {
        var wanted = {user: this.user()};
        var record;
        wanted[column] = value;
        record = value === '' ? null : new ClaudeTerminalTable(table).find(wanted);
        if (!record) {
            throw new ClaudeTerminalProblem(404, 'Not found', otherwise);
        }
        return record;
    },

    type: 'ClaudeTerminalAccess'
};
