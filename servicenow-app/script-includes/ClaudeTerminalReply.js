/**
 * The one input row that answers an output row of a poller's, as a MID Server would post it.
 *
 * That there is never a second one is the primary key: the input's sys_id follows from the output's. A table that
 * rotates has several physical ones, and a key is unique in each; so it is also looked for.
 */
var ClaudeTerminalReply = Class.create();

ClaudeTerminalReply.prototype = {
    COPIED: ['agent', 'topic', 'name', 'source', 'agent_correlator', 'priority'],
    OPEN: ['ready', 'processing'],
    VERSION: 1,

    /** @param {string} output sys_id of the row that is answered */
    initialize: function (output) {
        this._output = new GlideRecord('ecc_queue');
        this._there = this._output.get(output);
    },

    /**
     * @param {string} text base64 of an answer, see ClaudeTerminalAnswer
     * @param {string} error '' or what went wrong
     * @throws {ClaudeTerminalProblem} 404 the row is gone, 503 the queue refused the answer
     */
    write: function (text, error) {
        if (!this._there) {
            throw new ClaudeTerminalProblem(404, 'Not found', 'The row is not in the queue any more.');
        }
        if (!this._answered() && !this._insert(text, error) && !this._answered()) {
            throw new ClaudeTerminalProblem(503, 'Queue refused the answer',
                'The instance could not write to its ECC queue. The system log tells why.');
        }
        this._close();
    },

    /** Answer in the poller's place. */
    refuse: function (status, title, detail) {
        this.write(gs.base64Encode(JSON.stringify({v: this.VERSION, ok: false, status: status,
            problem: new ClaudeTerminalProblem(status, title, detail).view()})), title + ': ' + detail);
    },

    _answered: function () {
        var input = new GlideRecord('ecc_queue');
        input.addQuery('response_to', this._output.getUniqueValue());
        input.addQuery('queue', 'input');
        input.setLimit(1);
        input.query();
        return input.hasNext();
    },

    /** @returns {boolean} false when the table refused it, because it is there already or for another reason */
    _insert: function (text, error) {
        var input = new GlideRecord('ecc_queue');
        input.initialize();
        input.setNewGuidValue(this._sysId());
        this.COPIED.forEach(function (column) {
            input.setValue(column, this._output.getValue(column));
        }, this);
        input.setValue('queue', 'input');
        input.setValue('state', 'ready');
        input.setValue('response_to', this._output.getUniqueValue());
        input.setValue('payload', this._payload(text));
        input.setValue('error_string', error);
        return !!input.insert();
    },

    /** @returns {string} each digit is the other's complement: no two outputs share one, and none is its own */
    _sysId: function () {
        return this._output.getUniqueValue().replace(/[0-9a-f]/g, function (digit) {
            return (15 - parseInt(digit, 16)).toString(16);
        });
    },

    _payload: function (text) {
        return '<?xml version="1.0" encoding="UTF-8"?><results><result><output>' + text +
            '</output></result><parameters>' + this._echo() + '</parameters></results>';
    },

    /** @returns {string} the output's parameters; '' when its payload is rubbish */
    _echo: function () {
        var payload = String(this._output.getValue('payload') || '');
        var inner = /<parameters>([\s\S]*)<\/parameters>\s*$/.exec(payload);
        return inner && new XMLDocument2().parseXML(payload) ? inner[1] : '';
    },

    /** The platform's own rule marks it too [KB0855595], but not when an answer was there before. */
    _close: function () {
        var row = new GlideRecord('ecc_queue');
        if (row.get(this._output.getUniqueValue()) && this.OPEN.indexOf(row.getValue('state')) >= 0) {
            row.setValue('state', 'processed');
            row.update();
        }
    },

    type: 'ClaudeTerminalReply'
};
