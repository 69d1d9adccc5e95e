/**
 * A new session: its row is made first, with the id that the sidecar is told to use, so that nothing is
 * lost.
 */
var ClaudeTerminalBirth = Class.create();

ClaudeTerminalBirth.prototype = {
    /**
     * @param {string} user
     * @param {{mid: string, agent: string, bridge: string, credential: string}} place
     * @param {Object} wanted checked fields of the create
     */
    initialize: function (user, place, wanted) {
        this._user = user;
        this._place = place;
        this._wanted = wanted;
    },

    /** @returns {{id: string, request: string}} */
    session: function () {
        var id = this._uuid();
        var session = new ClaudeTerminalSessions().fresh(this._insert(id));
        var request;
        if (!session) {
            throw new ClaudeTerminalProblem(503, 'Not stored', 'The instance could not store the session.');
        }
        request = this._request(session, id);
        new ClaudeTerminalAudit().write('session.create',
            {user: this._user, session: id, mid: this._place.mid});
        return {id: this._told(session, request), request: request};
    },

    /** Put the call of a session that has its row into the queue, once more. */
    again: function (session) {
        this._request(session, session.getValue('session_id'));
    },

    _insert: function (id) {
        return new ClaudeTerminalTable('session').insert({session_id: id, user: this._user,
            mid: this._place.agent, mid_name: this._place.mid, bridge: this._place.bridge,
            state: 'starting', activity: 'busy', workspace_type: this._wanted.workspaceType,
            workspace_name: this._wanted.workspaceName,
            columns: this._wanted.columns, rows: this._wanted.rows, reachable: '1'});
    },

    _request: function (session, id) {
        try {
            return new ClaudeTerminalRequests().queue({op: 'create', mid: this._place.mid, user: this._user,
                bridge: this._place.bridge, key: this._wanted.key, session: session, body: this._body(id)});
        } catch (e) {
            new ClaudeTerminalSessions().fail(session, 'The call could not be queued.');
            throw e;
        }
    },

    _body: function (id) {
        var wanted = this._wanted;
        return {userId: this._user, credentials: {credentialId: this._place.credential},
            workspaceType: wanted.workspaceType, workspaceName: wanted.workspaceName, sessionId: id,
            columns: wanted.columns, rows: wanted.rows, model: wanted.model, renderer: wanted.renderer,
            waitMs: wanted.waitMs};
    },

    /** When the same key came twice at the same moment, the other session is the one. */
    _told: function (session, request) {
        var made = new ClaudeTerminalTable('request').find({sys_id: request}).getValue('session');
        if (made === session.getUniqueValue()) {
            return session.getValue('session_id');
        }
        session.deleteRecord();
        return new ClaudeTerminalSessions().fresh(made).getValue('session_id');
    },

    _uuid: function () {
        var hex = String(gs.generateGUID()).toLowerCase();
        return [hex.substring(0, 8), hex.substring(8, 12), '4' + hex.substring(13, 16),
            'a' + hex.substring(17, 20), hex.substring(20, 32)].join('-');
    },

    type: 'ClaudeTerminalBirth'
};
