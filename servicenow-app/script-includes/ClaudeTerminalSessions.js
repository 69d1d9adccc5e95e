/** The instance's picture of sessions. The truth is at the sidecar; answers bring it here. */
var ClaudeTerminalSessions = Class.create();

ClaudeTerminalSessions.ENDED = ['terminated', 'failed'];

ClaudeTerminalSessions.prototype = {
    /** What a viewer sees change; another change moves no `output_seq`. */
    VISIBLE: ['state', 'activity', 'reachable', 'problem', 'output_offset', 'columns', 'rows'],
    OVER: 'It had ended on the sidecar.',
    UNKNOWN: 'The sidecar does not know this session.',

    initialize: function () {
        this._table = new ClaudeTerminalTable('session');
        this._clock = new ClaudeTerminalClock();
    },

    /** @returns {?GlideRecord} as it is stored at this moment */
    fresh: function (sysId) {
        return sysId ? this._table.find({sys_id: sysId}) : null;
    },

    ended: function (session) {
        return ClaudeTerminalSessions.ENDED.indexOf(session.getValue('state')) >= 0;
    },

    /**
     * Write what differs, and count `output_seq` up when a viewer would see it: browsers watch that column.
     */
    change: function (session, values) {
        var seen = this.VISIBLE.some(function (column) {
            var old = session.getValue(column) || '';
            return values[column] !== undefined && old !== this._table.text(values[column]);
        }, this);
        if (seen) {
            values.output_seq = this._count(session) + 1;
        }
        return this._table.change(session, values);
    },

    /**
     * Wake who watches, though no column that is told changed. What there is to see must be stored before
     * the row is read: of two threads that count to the same number only the first wakes anybody.
     */
    stir: function (sysId) {
        var session = this.fresh(sysId);
        if (session) {
            this._table.change(session, {output_seq: this._count(session) + 1});
        }
    },

    /** Write who types, and wake who watches. That counts afterwards: see `stir`. */
    lease: function (session, values) {
        var told = values.writer !== undefined || values.writer_left !== undefined;
        if (this._table.change(session, values) && told) {
            this.stir(session.getUniqueValue());
        }
    },

    /**
     * Take over a session object of the sidecar.
     *
     * @param {GlideRecord} session
     * @param {Object} told as in the sidecar's HTTP API
     */
    adopt: function (session, told) {
        if (this.ended(session)) {
            return; // an answer that was overtaken
        }
        this._reached(session, {state: told.state, activity: told.activity, columns: told.columns,
            rows: told.rows, workspace_type: told.workspaceType, workspace_name: told.workspaceName,
            exit_code: told.exitCode, reason: told.reason, claude_version: told.claudeVersion,
            last_activity_at: this._clock.stored(told.lastActivityAt),
            ended_at: this._clock.stored(told.endedAt)});
    },

    /**
     * Take over what an answer tells of a session besides its other contents.
     *
     * @param {?GlideRecord} known the session; null when there is none any more
     * @param {?Piece} piece output
     * @param {?string} [state] null: the sidecar has no such session
     * @param {string} [activity]
     * @returns {boolean} whether the session's row changed
     */
    news: function (known, piece, state, activity) {
        var session = known;
        var values = {};
        var end = 0;
        if (piece && session) {
            end = new ClaudeTerminalOutput(session.getUniqueValue()).append(piece, this._offset(session));
            // Read again, so that little time is left to overtake another thread.
            session = this.fresh(session.getUniqueValue());
        }
        if (!session || state === null) {
            return session ? this.forget(session) : false;
        }
        values.output_offset = Math.max(end, this._offset(session));
        if (state && !this.ended(session)) { // else an answer that was overtaken
            values.state = state;
            values.activity = activity || session.getValue('activity');
        }
        return this._reached(session, values);
    },

    /** An answer came from its sidecar; it may be older than the news that the MID Server is down. */
    _reached: function (session, values) {
        var over = ClaudeTerminalSessions.ENDED.indexOf(values.state || session.getValue('state')) >= 0;
        var well = session.getValue('reachable') === '1' && !session.getValue('problem');
        // Who is well would hear at once that it is down.
        var fault = over || well ? null : new ClaudeTerminalReach().fault(session.getValue('mid_name'),
            session.getValue('bridge'));
        values.reachable = !fault;
        values.problem = fault ? fault.detail : '';
        return this._end(session, values);
    },

    /** The sidecar has no such session: it will never come back. */
    forget: function (session) {
        return this.fail(session, this.UNKNOWN);
    },

    /** The sidecar says that it has ended, and not how: the news of its end did not arrive. */
    over: function (session) {
        return this.ended(session) ? false :
            this._end(session, {state: 'terminated', activity: 'idle', reason: this.OVER});
    },

    /** @param {string} reason in plain words */
    fail: function (session, reason) {
        return this.ended(session) ? false :
            this._end(session, {state: 'failed', reason: reason, problem: reason.substring(0, 1000)});
    },

    /** A row was deleted: what belongs to it goes too, and the session ends at the sidecar. */
    removed: function (session) {
        var mid = session.getValue('mid_name');
        if (!this.ended(session)) {
            // Who removed it is in the entry's sys_created_by.
            new ClaudeTerminalAudit().write('session.removed', {user: session.getValue('user'),
                session: session.getValue('session_id'), mid: mid});
        }
        ['output', 'request'].forEach(function (name) {
            var rows = new ClaudeTerminalTable(name).query({session: session.getUniqueValue()});
            rows.deleteMultiple();
        });
        if (!this.ended(session) && !new ClaudeTerminalReach().fault(mid, session.getValue('bridge'))) {
            new ClaudeTerminalRequests().queue({op: 'terminate', mid: mid, bridge: session.getValue('bridge'),
                user: session.getValue('user'), session: session});
        }
    },

    /** @returns {Object} as callers see it, named as in the sidecar's HTTP API where it has the same */
    view: function (session) {
        var number = this._number;
        var value = function (column) {
            return session.getValue(column);
        };
        return {sessionId: value('session_id'), sysId: session.getUniqueValue(), userId: value('user'),
            state: value('state'), activity: value('activity'), workspaceType: value('workspace_type'),
            workspaceName: value('workspace_name'), columns: number(value('columns')),
            rows: number(value('rows')), outputOffset: this._offset(session),
            outputSeq: this._count(session),
            createdAt: this._clock.told(value('sys_created_on')),
            lastActivityAt: this._clock.told(value('last_activity_at')),
            endedAt: this._clock.told(value('ended_at')), exitCode: number(value('exit_code')),
            reason: value('reason') || null, claudeVersion: value('claude_version') || null,
            reachable: value('reachable') === '1', problem: value('problem') || null, mid: value('mid_name'),
            bridge: value('bridge')};
    },

    _end: function (session, values) {
        if (ClaudeTerminalSessions.ENDED.indexOf(values.state) >= 0 && !values.ended_at &&
                !session.getValue('ended_at')) {
            values.ended_at = this._clock.now();
        }
        return this.change(session, values);
    },

    _offset: function (session) {
        return Number(session.getValue('output_offset')) || 0;
    },

    _count: function (session) {
        return Number(session.getValue('output_seq')) || 0;
    },

    _number: function (text) {
        return text === null || text === '' ? null : Number(text);
    },

    type: 'ClaudeTerminalSessions'
};
