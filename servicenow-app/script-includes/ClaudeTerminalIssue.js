/**
 * One line under MID Server > Server Issues for each MID Server whose sidecar cannot be used. The rows are
 * those that OOB/MIDServerManage writes: one for each MID Server and source while it is not resolved.
 */
var ClaudeTerminalIssue = Class.create();

ClaudeTerminalIssue.prototype = {
    SOURCE: 'ClaudeTerminal',

    /**
     * @param {string} name of the MID Server; of a poller only if a MID Server has the same name
     * @param {string} bridge
     */
    initialize: function (name, bridge) {
        this._agent = new ClaudeTerminalReach().agent(name);
        this._source = this.SOURCE + (bridge === 'poller' ? 'Poller' : '');
    },

    raise: function (message) {
        var issue = this._agent ? this._open() : null;
        if (!this._agent) {
            return; // the name in the property belongs to no MID Server
        }
        if (!issue) {
            issue = new GlideRecord('ecc_agent_issue');
            issue.initialize();
            this._write(issue, message, 1);
            issue.insert();
            return;
        }
        this._write(issue, message, (Number(issue.getValue('count')) || 0) + 1);
        issue.update();
    },

    resolve: function () {
        var issue = this._agent ? this._open() : null;
        if (issue) {
            issue.setValue('state', 'resolved');
            issue.update();
        }
    },

    _open: function () {
        var issue = new GlideRecord('ecc_agent_issue');
        issue.addQuery('mid_server', this._agent.getUniqueValue());
        issue.addQuery('source', this._source);
        issue.addQuery('state', '!=', 'resolved');
        issue.setLimit(1);
        issue.query();
        return issue.next() ? issue : null;
    },

    _write: function (issue, message, count) {
        issue.setValue('mid_server', this._agent.getUniqueValue());
        issue.setValue('source', this._source);
        issue.setValue('message', message);
        issue.setValue('count', count);
        issue.setValue('last_detected', new ClaudeTerminalClock().now());
    },

    type: 'ClaudeTerminalIssue'
};
