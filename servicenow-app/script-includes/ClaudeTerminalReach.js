/**
 * Whether the way to a sidecar is open: its MID Server up, or its poller asking for work, and the sidecar beside it
 * answering. A way is a name and a bridge: one name may be a MID Server's and a poller's, beside the same sidecar.
 */
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

    /** @returns {string} what it is, in a sentence */
    kind: function (bridge) {
        return bridge === 'poller' ? 'poller' : 'MID Server';
    },

    /** @returns {string} how a sentence about it begins */
    called: function (name, bridge) {
        return 'The ' + this.kind(bridge) + ' ' + name;
    },

    /**
     * @param {string} name
     * @param {string} bridge
     * @returns {?ClaudeTerminalProblem} why nothing can be sent to it now, in plain words
     */
    fault: function (name, bridge) {
        var detail = bridge === 'poller' ? new ClaudeTerminalContact(name).fault() : this._down(name);
        return detail ? new ClaudeTerminalProblem(503, bridge === 'poller' ? 'Poller not available' :
            'MID Server not available', detail) : null;
    },

    /** @throws {ClaudeTerminalProblem} 503, so that nothing is queued that would be done much later */
    demand: function (name, bridge) {
        var fault = this.fault(name, bridge);
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

    /** Look at every way of the application, and tell the sessions what changed. */
    review: function () {
        new ClaudeTerminalHosts().all().forEach(function (host) {
            this.look(host.name, host.bridge);
        }, this);
    },

    /** The same for one of them. */
    look: function (name, bridge) {
        var fault = this.fault(name, bridge);
        if (fault) {
            this.lost(name, bridge, fault.detail);
        } else if (this._problem(name, bridge)) {
            // Perhaps only that it was down: until its sidecar is asked, it gets no new sessions.
            new ClaudeTerminalMid(name, bridge).check();
        } else {
            this.found(name, bridge);
        }
    },

    /** Mark the sessions behind it unreachable, saying why. */
    lost: function (name, bridge, why) {
        var session = this._sessions.query({mid_name: name, bridge: bridge});
        session.addQuery('state', 'NOT IN', 'terminated,failed');
        session.query();
        while (session.next()) {
            new ClaudeTerminalSessions().change(session, {reachable: false, problem: why});
        }
    },

    /** Mark them reachable again, unless the answer that says so is older than the news that the way is closed. */
    found: function (name, bridge) {
        var session;
        if (this.fault(name, bridge)) {
            return;
        }
        session = this._sessions.query({mid_name: name, bridge: bridge, reachable: false});
        session.query();
        while (session.next()) {
            new ClaudeTerminalSessions().change(session, {reachable: true, problem: ''});
        }
    },

    _problem: function (name, bridge) {
        var status = new ClaudeTerminalTable('mid_status').find({mid_name: name, bridge: bridge});
        return status ? status.getValue('problem') : null;
    },

    /** @returns {?string} why a MID Server takes no calls */
    _down: function (mid) {
        var agent = this.agent(mid);
        if (!agent) {
            return 'There is no MID Server ' + mid + '.';
        }
        if (agent.getValue('status') !== 'Up') {
            return 'The MID Server ' + mid + ' is ' +
                String(agent.getValue('status') || 'not up').toLowerCase() + '.';
        }
        return agent.getValue('validated') === 'true' || agent.getValue('validated') === '1' ? null :
            'The MID Server ' + mid + ' is not validated.';
    },

    type: 'ClaudeTerminalReach'
};
