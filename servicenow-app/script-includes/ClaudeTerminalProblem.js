/**
 * What went wrong, in words for the user. Thrown by everything a resource calls; ClaudeTerminalRest answers
 * with it.
 *
 * @typedef {{field: string, message: string}} FieldError
 */
var ClaudeTerminalProblem = Class.create();

ClaudeTerminalProblem.prototype = {
    /**
     * @param {number} status HTTP status
     * @param {string} title the same for each problem of its kind
     * @param {string} detail one or two sentences; never a value that was sent
     * @param {FieldError[]} [errors] broken rules, with 422
     * @param {number} [retryAfter] seconds after which it may be different, with 429
     */
    initialize: function (status, title, detail, errors, retryAfter) {
        this.status = status;
        this.title = title;
        this.detail = detail;
        this.errors = errors || null;
        this.retryAfter = retryAfter || null;
    },

    /** @returns {Object} as it is stored in a request and sent to callers */
    view: function () {
        var view = {type: 'about:blank', title: this.title, status: this.status, detail: this.detail};
        if (this.errors) {
            view.errors = this.errors;
        }
        return view;
    },

    toString: function () {
        return this.title + ': ' + this.detail;
    },

    type: 'ClaudeTerminalProblem'
};
