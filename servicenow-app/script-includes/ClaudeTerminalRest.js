/**
 * Between a Scripted REST resource and the application: takes the request apart once, and answers errors in
 * one form, inside the platform's own: `{"error": {message, detail, type, title, status, errors?},
 * "status": "failure"}`.
 */
var ClaudeTerminalRest = Class.create();

ClaudeTerminalRest.prototype = {
    LARGEST_BODY: 262144,

    initialize: function (request, response) {
        this._request = request;
        this._response = response;
    },

    /**
     * Do one operation and answer.
     *
     * @param {number} status when it succeeds
     * @param {function(ClaudeTerminalAPI, ClaudeTerminalRest): Object} operation
     */
    reply: function (status, operation) {
        var result;
        try {
            result = operation(new ClaudeTerminalAPI(), this);
        } catch (e) {
            this._fail(e.type === 'ClaudeTerminalProblem' ? e : this._fault(e));
            return;
        }
        this._response.setStatus(status);
        this._response.setBody(result);
    },

    /** @returns {string} */
    path: function (name) {
        return String(this._request.pathParams[name]);
    },

    /** @returns {Object} the JSON body; {} for none. The platform lets it be read once. */
    body: function () {
        var body = this._request.body;
        var text = body ? String(body.dataString || '') : '';
        if (text.length > this.LARGEST_BODY) {
            throw new ClaudeTerminalProblem(413, 'Body too large', 'A body has at most 262,144 characters.');
        }
        try {
            return text.trim() === '' ? {} : JSON.parse(text);
        } catch (e) {
            throw new ClaudeTerminalProblem(400, 'Bad request', 'The body is not JSON.');
        }
    },

    /**
     * @param {string[]} names of the parameters that are known
     * @returns {Object} their values as text; the platform gives each as a list
     */
    query: function (names) {
        var given = this._request.queryParams || {};
        var values = {};
        Object.keys(given).forEach(function (name) {
            var list = [].concat(given[name]);
            if (names.indexOf(name) < 0 || list.length !== 1) {
                throw new ClaudeTerminalProblem(422, 'Invalid request', names.indexOf(name) < 0 ?
                    'There is a query parameter that is not known.' : name + ' is given more than once.');
            }
            values[name] = String(list[0]);
        });
        return values;
    },

    _fail: function (problem) {
        var error = problem.view();
        error.message = problem.title;
        this._response.setContentType('application/json');
        this._response.setStatus(problem.status);
        if (problem.retryAfter) {
            this._response.setHeader('Retry-After', String(problem.retryAfter));
        }
        // setError would lose all but two texts, and setBody put it under `result`.
        this._response.getStreamWriter().writeString(JSON.stringify({error: error, status: 'failure'}));
    },

    /** The text of an unexpected error is for the log only. */
    _fault: function (e) {
        var id = gs.generateGUID();
        gs.error('Claude Terminal, fault ' + id + ': ' + e);
        return new ClaudeTerminalProblem(500, 'Fault',
            'Something failed. The system log has more under ' + id + '.');
    },

    type: 'ClaudeTerminalRest'
};
