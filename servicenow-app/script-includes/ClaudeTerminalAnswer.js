/**
 * What an input row of the ECC queue says. The probe answers with base64 of JSON inside `<output>`; the
 * platform itself reports a failed probe in one of three places that are read first [OOB/RESTECCResponse].
 *
 * @typedef {Object} Answer
 * @property {boolean} ok
 * @property {number} status HTTP status
 * @property {Object} [body]
 * @property {{title: string, status: number, detail: string}} [problem] when not ok
 * @property {boolean} final whether the sidecar or the probe said it; of other reports a better one may
 *     follow
 */
var ClaudeTerminalAnswer = Class.create();

ClaudeTerminalAnswer.prototype = {
    ATTACHED: '<see_attachment/>',
    VERSION: 1,

    initialize: function () {
    },

    /**
     * @param {GlideRecord} input
     * @returns {Answer} never throws: what cannot be read is an answer that is not ok
     */
    read: function (input) {
        var document = new XMLDocument2();
        var text = this._payload(input);
        var fault;
        if (text === '' || !document.parseXML(text)) {
            return this.unreadable('The payload of the answer is not XML.');
        }
        fault = this._fault(document);
        return fault ? this._failed(502, 'MID Server error', fault) : this._said(document);
    },

    /** A payload that was too large for its column is an attachment of the row [KB0855595]. */
    _payload: function (input) {
        var text = String(input.getValue('payload') || '').trim();
        return text === this.ATTACHED ? this._attachment(input) : text;
    },

    _attachment: function (input) {
        var text = new GlideSysAttachment().get(input, 'payload');
        return text ? String(text) : '';
    },

    _fault: function (document) {
        var results = document.getNode('/results');
        var result = document.getNode('/results/result');
        return this._attribute(results, 'error') || this._attribute(result, 'error') ||
            this._text(document, '/results/result/error');
    },

    _attribute: function (node, name) {
        // Methods of a node that is not there throw.
        return node && node.hasAttribute(name) ? String(node.getAttribute(name)) : '';
    },

    _text: function (document, path) {
        return document.getNode(path) ? String(document.getNodeText(path) || '') : '';
    },

    _said: function (document) {
        var said;
        try {
            said = JSON.parse(gs.base64Decode(this._text(document, '/results/result/output').trim()));
        } catch (e) {
            return this.unreadable('The output of the probe is not base64 of JSON.');
        }
        if (!said || said.v !== this.VERSION || typeof said.ok !== 'boolean' ||
                typeof said.status !== 'number') {
            return this.unreadable('The output of the probe is no answer of version ' + this.VERSION + '.');
        }
        if (!said.ok) {
            return this._refused(said);
        }
        if (Object.prototype.toString.call(said.body) !== '[object Object]') {
            return this.unreadable('The output of the probe has no body.');
        }
        return {ok: true, status: said.status, body: said.body, final: true};
    },

    _refused: function (said) {
        var problem = said.problem || {};
        problem.status = said.status;
        problem.title = String(problem.title || 'Refused');
        problem.detail = String(problem.detail || 'HTTP status ' + said.status + '.');
        return {ok: false, status: said.status, problem: problem, final: true};
    },

    /** @returns {Answer} for one that makes no sense */
    unreadable: function (detail) {
        return this._failed(502, 'Unreadable answer', detail);
    },

    _failed: function (status, title, detail) {
        return {ok: false, status: status, final: false,
            problem: new ClaudeTerminalProblem(status, title, detail.substring(0, 1000)).view()};
    },

    type: 'ClaudeTerminalAnswer'
};
