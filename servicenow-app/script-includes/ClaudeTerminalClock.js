/** Times as tables hold them: `yyyy-MM-dd HH:mm:ss` in UTC, which sorts as text. */
var ClaudeTerminalClock = Class.create();

ClaudeTerminalClock.prototype = {
    initialize: function () {
    },

    now: function () {
        return String(new GlideDateTime().getValue());
    },

    /** @returns {string} the time so many seconds before now */
    ago: function (seconds) {
        var time = new GlideDateTime();
        time.addSeconds(-seconds);
        return String(time.getValue());
    },

    /** @returns {string} the time so many seconds after now */
    ahead: function (seconds) {
        return this.ago(-seconds);
    },

    /** @returns {number} seconds from `value` to now; endless for an empty one */
    since: function (value) {
        if (!value) {
            return Infinity;
        }
        return (Number(new GlideDateTime().getNumericValue()) -
            Number(new GlideDateTime(value).getNumericValue())) / 1000;
    },

    /** @returns {string} '' for nothing; the sidecar's RFC 3339 as a table holds it */
    stored: function (rfc3339) {
        var match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)$/.exec(String(rfc3339));
        return match ? match[1] + ' ' + match[2] : '';
    },

    /** @returns {?string} RFC 3339 of what a table holds */
    told: function (value) {
        return value ? String(value).replace(' ', 'T') + 'Z' : null;
    },

    type: 'ClaudeTerminalClock'
};
