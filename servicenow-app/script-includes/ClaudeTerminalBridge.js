/**
 * Writes calls into the ECC queue: rows for a MID Server's JavascriptProbe, or for an ECC poller.
 *
 * No parameter is a secret: the platform echoes all of them in the answer and keeps both rows for about a
 * week.
 *
 * @typedef {Object} Call
 * @property {string} ecc the new row's sys_id, chosen by us so that the answer finds its request however
 *     fast it is
 * @property {string} op one of OPERATIONS
 * @property {string} mid name of the MID Server or poller
 * @property {string} bridge mid or poller
 * @property {string} user sys_id; '' for calls of the application itself
 * @property {string} session the sidecar's session id, or ''
 * @property {string} key the sidecar executes a key once, however often the queue delivers it
 * @property {Object} body
 */
var ClaudeTerminalBridge = Class.create();

/** What can be asked; the MID Script Include ClaudeTerminalProbe says which HTTP call each is. */
ClaudeTerminalBridge.OPERATIONS = ['create', 'command', 'output', 'outputs', 'screen', 'status', 'resize',
    'terminate', 'list', 'health', 'sealing_key', 'credential.store', 'credential.delete'];

ClaudeTerminalBridge.prototype = {
    NAME: 'ClaudeTerminalProbe',
    VERSION: '1',
    // The value of its last expression becomes the answer. One constant line: a line break or a comment
    // would not survive XML, and nothing a user wrote is ever code.
    SCRIPT: 'new ClaudeTerminalProbe().execute();',
    EXPEDITED: '1', // 0 is for heartbeats, 2 waits behind Discovery

    initialize: function () {
    },

    /**
     * @param {Call} call
     * @returns {string} the row's sys_id
     * @throws {ClaudeTerminalProblem} 503 when the queue refused the row
     */
    send: function (call) {
        var row = new GlideRecord('ecc_queue');
        var values = this.row(call);
        var made;
        row.initialize();
        row.setNewGuidValue(call.ecc);
        Object.keys(values).forEach(function (column) {
            row.setValue(column, values[column]);
        });
        made = row.insert();
        if (!made) {
            throw new ClaudeTerminalProblem(503, 'Queue refused the call',
                'The instance could not write to its ECC queue. The system log tells why.');
        }
        return String(made);
    },

    /** @returns {string} a MID Server would take a poller's row if its agent began with mid.server. */
    agent: function (name, bridge) {
        return (bridge === 'poller' ? 'claude.poller.' : 'mid.server.') + name;
    },

    /** @returns {Object} the columns of the row for a call */
    row: function (call) {
        var poller = call.bridge === 'poller';
        if (ClaudeTerminalBridge.OPERATIONS.indexOf(call.op) < 0) {
            throw new Error('unknown operation ' + call.op);
        }
        return {
            agent: this.agent(call.mid, call.bridge),
            topic: poller ? 'ClaudeTerminal' : 'JavascriptProbe',
            name: this.NAME,
            source: '',
            queue: 'output',
            state: 'ready',
            priority: this.EXPEDITED,
            agent_correlator: call.session || call.mid,
            payload: this.payload(call)
        };
    },

    /** @returns {string} XML */
    payload: function (call) {
        var parameters = [
            // Without it Discovery marks the answer as an error.
            ['skip_sensor', 'true'], ['v', this.VERSION], ['op', call.op], ['user', call.user],
            ['session', call.session], ['key', call.key], ['body', this.encode(call.body)]
        ];
        if (call.bridge !== 'poller') {
            parameters.push(['script', this.SCRIPT]);
        }
        return '<?xml version="1.0" encoding="UTF-8"?><parameters>' + parameters.map(function (pair) {
            return '<parameter name="' + pair[0] + '" value="' + this.escape(pair[1]) + '"/>';
        }, this).join('') + '</parameters>';
    },

    /** @returns {string} base64 of JSON in ASCII, so that no charset of the platform matters */
    encode: function (body) {
        return gs.base64Encode(JSON.stringify(body || {}).replace(/[\u007f-\uffff]/g, function (character) {
            return '\\u' + ('000' + character.charCodeAt(0).toString(16)).slice(-4);
        }));
    },

    /** @returns {string} for an attribute; a raw line break or tab would arrive as a space */
    escape: function (value) {
        return String(value === null || value === undefined ? '' : value)
            .replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
            .replace(/"/g, '&quot;').replace(/'/g, '&apos;')
            .replace(/\t/g, '&#9;').replace(/\n/g, '&#10;').replace(/\r/g, '&#13;');
    },

    type: 'ClaudeTerminalBridge'
};
