/** Whether the way to a sidecar is open: its MID Server up, and the sidecar beside it answering. */
var ClaudeTerminalReach = Class.create();

ClaudeTerminalReach.prototype = {
    initialize: function () {
        this._sessions = new ClaudeTerminalTable('session');
    },

    /** @returns {?GlideRecord} the MID Server's own record */
    agent: function (mid) {
        var agent = new GlideRecord('ecc_agent');
        agent.addQuery('name', mid);
        agent.setLimit(1);
        agent.query();
        return agent.next() ? agent : null;
    },

    /** @returns {?ClaudeTerminalProblem} why nothing can be sent to it now, in plain words */
    fault: function (mid) {
        var agent;
        if (new ClaudeTerminalSettings().bridge() === 'poller') {
            return null;
        }
        agent = this.agent(mid);
        if (!agent) {
            return this._unusable('There is no MID Server ' + mid + '.');
        }
        if (agent.getValue('status') !== 'Up') {
            return this._unusable('The MID Server ' + mid + ' is ' +
                String(agent.getValue('status') || 'not up').toLowerCase() + '.');
        }
        return agent.getValue('validated') === 'true' || agent.getValue('validated') === '1' ? null :
            this._unusable('The MID Server ' + mid + ' is not validated.');
    },

    /** @throws {ClaudeTerminalProblem} 503, so that nothing is queued that would be done much later */
    demand: function (mid) {
        var fault = this.fault(mid);
        if (fault) {
            throw fault;
        }
    },

    /** @returns {boolean} whether the platform would move its rows to another host */
    clustered: function (mid) {
        var member = new GlideRecord('ecc_agent_cluster_member_m2m');
        member.addQuery('agent.name', mid);
        member.setLimit(1);
        member.query();
        return member.hasNext();
    },

    /** Look at every MID Server of the application, and tell their sessions what changed. */
    review: function () {
        new ClaudeTerminalSettings().mids().forEach(function (mid) {
            var fault = this.fault(mid);
            if (fault) {
                this.lost(mid, fault.detail);
            } else if (this._problem(mid)) {
                // Perhaps only that it was down: until its sidecar is asked, it gets no new sessions.
                new ClaudeTerminalMid(mid).check();
            } else {
                this.found(mid);
            }
        }, this);
    },

    /** Mark the sessions of a MID Server unreachable, saying why. */
    lost: function (mid, why) {
        var session = this._sessions.query({mid_name: mid});
        session.addQuery('state', 'NOT IN', 'terminated,failed');
        session.query();
        while (session.next()) {
            new ClaudeTerminalSessions().change(session, {reachable: false, problem: why});
        }
    },

    /** Mark them reachable again, unless the answer that says so is older than the news that the MID is down. */
    found: function (mid) {
        var session;
        if (this.fault(mid)) {
            return;
        }
        session = this._sessions.query({mid_name: mid, reachable: false});
        session.query();
        while (session.next()) {
            new ClaudeTerminalSessions().change(session, {reachable: true, problem: ''});
        }
    },

    _problem: function (mid) {
        var status = new ClaudeTerminalTable('mid_status').find({mid_name: mid});
        return status ? status.getValue('problem') : null;
    },

    _unusable: function (detail) {
        return new ClaudeTerminalProblem(503, 'MID Server not available', detail);
    },

    type: 'ClaudeTerminalReach'
};
