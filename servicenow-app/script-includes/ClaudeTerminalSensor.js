/**
 * Takes answers from the ECC queue: one after-insert business rule calls it for each input row of our name.
 *
 * Answers come late, twice, out of order, or as rubbish. Each is applied once, to the request whose output
 * row it responds to; every row ends as processed or error, so that none stays ready for ever.
 */
var ClaudeTerminalSensor = Class.create();

ClaudeTerminalSensor.prototype = {
    SYS_ID: /^[0-9a-f]{32}$/,

    initialize: function () {
        this._requests = new ClaudeTerminalTable('request');
    },

    /**
     * @param {GlideRecord} input the row that was inserted; never throws, or the MID would insert it again
     */
    take: function (input) {
        var error;
        try {
            error = this._apply(input);
        } catch (e) {
            error = 'Fault ' + gs.generateGUID();
            gs.error('ClaudeTerminalSensor: ' + error + ': ' + e);
        }
        this._mark(input.getUniqueValue(), error);
    },

    /** @returns {string} what is wrong with the row, '' for nothing */
    _apply: function (input) {
        var request = this._request(input);
        var answer;
        if (!request) {
            return 'This answers no call of the application.';
        }
        if (request.getValue('answered_by')) {
            return ''; // a repeat: what it says was applied
        }
        answer = new ClaudeTerminalEffect().meant(request, new ClaudeTerminalAnswer().read(input));
        this._settle(request, answer, input);
        return answer.final ? '' : answer.problem.title + ': ' + answer.problem.detail;
    },

    /** @returns {?GlideRecord} the call that it answers, if it was sent to whom the answer is from */
    _request: function (input) {
        var ecc = String(input.getValue('response_to') || '');
        var request = this.SYS_ID.test(ecc) ? this._requests.find({ecc_output: ecc}) : null;
        var agent = String(input.getValue('agent') || '');
        return request && agent === new ClaudeTerminalBridge().agent(request.getValue('mid_name'),
            new ClaudeTerminalRequests().bridge(request)) ? request : null;
    },

    _settle: function (request, answer, input) {
        var effect = new ClaudeTerminalEffect();
        var requests = new ClaudeTerminalRequests();
        var kept = answer.ok ? effect.kept(request, answer.body) : answer.problem;
        // Before its effect wakes who asked. Nobody asked for what a pump brings, and many wait for it.
        if (request.getValue('op') !== 'outputs') {
            requests.settle(request, answer.ok, answer.status, kept, '');
        }
        effect.apply(request, answer);
        // Last: after a kill in between the answer is delivered again, and applied to its end.
        requests.settle(request, answer.ok, answer.status, kept, answer.final ? input.getUniqueValue() : '');
    },

    _mark: function (sysId, error) {
        var row = new GlideRecord('ecc_queue');
        if (row.get(sysId)) {
            row.setValue('state', error ? 'error' : 'processed');
            // What a poller wrote there of an answer that is not ok stays.
            row.setValue('error_string', error || row.getValue('error_string') || '');
            row.update();
        }
    },

    type: 'ClaudeTerminalSensor'
};
