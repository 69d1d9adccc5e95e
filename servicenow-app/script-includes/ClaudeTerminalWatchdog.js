/** Sets going again what got stuck. Writes nothing while nobody watches and nothing is under way. */
var ClaudeTerminalWatchdog = Class.create();

ClaudeTerminalWatchdog.prototype = {
    SLOW_START_SECONDS: 30,
    GIVE_UP_SECONDS: 3600,
    ASKED_AGAIN_SECONDS: 60,

    initialize: function () {
        this._clock = new ClaudeTerminalClock();
    },

    run: function () {
        this._pollers();
        new ClaudeTerminalHosts().watched().forEach(function (host) {
            new ClaudeTerminalPump(host.name, host.bridge).ensure();
        });
        this._starting();
        new ClaudeTerminalExpiry().giveUp();
    },

    /** No event tells that a poller has fallen silent. */
    _pollers: function () {
        var reach = new ClaudeTerminalReach();
        new ClaudeTerminalHosts().all().forEach(function (host) {
            var fault = host.bridge === 'poller' ? reach.fault(host.name, host.bridge) : null;
            if (fault) {
                reach.lost(host.name, host.bridge, fault.detail);
            }
        });
    },

    /** A session that still started when its create was answered: ask what became of it. */
    _starting: function () {
        var session = new ClaudeTerminalTable('session').query({state: 'starting'});
        session.addQuery('sys_created_on', '<', this._clock.ago(this.SLOW_START_SECONDS));
        session.query();
        while (session.next()) {
            this._ask(session);
        }
    },

    _ask: function (session) {
        var requests = new ClaudeTerminalRequests();
        var mid = session.getValue('mid_name');
        var bridge = session.getValue('bridge');
        var id = session.getUniqueValue();
        if (this._clock.since(session.getValue('sys_created_on')) > this.GIVE_UP_SECONDS) {
            new ClaudeTerminalSessions().fail(session, 'The session did not start.');
        } else if (!requests.open({session: id}, this.GIVE_UP_SECONDS) && !this._justAsked(id) &&
                !new ClaudeTerminalReach().fault(mid, bridge)) {
            requests.queue({op: 'status', mid: mid, bridge: bridge, user: session.getValue('user'),
                session: session});
        }
    },

    _justAsked: function (id) {
        var request = new ClaudeTerminalTable('request').query({session: id, op: 'status'});
        request.addQuery('sys_created_on', '>=', this._clock.ago(this.ASKED_AGAIN_SECONDS));
        request.setLimit(1);
        request.query();
        return request.hasNext();
    },

    type: 'ClaudeTerminalWatchdog'
};
