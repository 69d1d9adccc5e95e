/**
 * GlideDateTime and GlideDuration: moments and spans in whole seconds, UTC inside.
 * [c_GlideDateTimeScopedAPI, c_GlideDurationScopedAPI]
 *
 * The session's time zone is UTC here, so the methods that end in LocalTime and in UTC agree.
 */

var DAY_MS = 86400000;
var FORMAT = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2}):(\d{2}))?$/;

exports.install = function (scope) {
    scope.GlideDateTime = GlideDateTime;
    scope.GlideDuration = GlideDuration;
};

/** @param {number} ms since 1970 @returns {string} as the platform stores it: yyyy-MM-dd HH:mm:ss */
exports.text = function (ms) {
    return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
};

/** @param {string} text @returns {number} milliseconds, NaN when it is no date and time */
exports.parse = parse;

function parse(text) {
    var part = FORMAT.exec(String(text).trim());
    var ms = part ? Date.UTC(part[1], part[2] - 1, part[3], part[4] || 0, part[5] || 0, part[6] || 0) : NaN;
    // The 30th of February would roll over to March; it is no date.
    return part && new Date(ms).toISOString().slice(0, 10) === part[0].slice(0, 10) ? ms : NaN;
}

function padded(number) {
    return (number < 10 ? '0' : '') + number;
}

/** @param {*} [start] another GlideDateTime, or text in UTC; now when left out */
function GlideDateTime(start) {
    if (!(this instanceof GlideDateTime)) {
        throw new TypeError('GlideDateTime is a constructor: use new');
    }
    this._ms = Math.floor(Date.now() / 1000) * 1000;
    this._error = null;
    if (start !== undefined && start !== null) {
        this.setValue(start);
    }
}

exports.GlideDateTime = GlideDateTime;

/** The time between two moments; as a function of the class, not of a moment. [c_GlideDateTimeScopedAPI] */
GlideDateTime.subtract = function (start, end) {
    return new GlideDuration(end.getNumericValue() - start.getNumericValue());
};

GlideDateTime.prototype = {
    constructor: GlideDateTime,
    toString: function () { return this.getValue(); },
    getValue: function () { return isNaN(this._ms) ? '' : exports.text(this._ms); },
    getDisplayValue: function () { return this.getValue(); },
    getDisplayValueInternal: function () { return this.getValue(); },
    getNumericValue: function () { return isNaN(this._ms) ? 0 : this._ms; },
    isValid: function () { return !isNaN(this._ms); },
    getErrorMsg: function () { return this._error; },

    setValue: function (value) {
        if (typeof value === 'number') {
            this._ms = Math.floor(value / 1000) * 1000;
        } else if (value instanceof GlideDateTime) {
            this._ms = value._ms;
        } else {
            this._read(String(value));
        }
    },
    setDisplayValue: function (value) { this._read(String(value)); },
    setDisplayValueInternal: function (value) { this._read(String(value)); },
    _read: function (text) {
        this._ms = parse(text);
        this._error = isNaN(this._ms) ? 'Could not parse DateTime: ' + text : null;
    },

    /** Milliseconds, or another moment's. */
    add: function (amount) {
        this._ms += typeof amount === 'object' ? amount.getNumericValue() : Number(amount);
    },
    subtract: function (amount) {
        this._ms -= typeof amount === 'object' ? amount.getNumericValue() : Number(amount);
    },
    addSeconds: function (seconds) { this._ms += Number(seconds) * 1000; },
    _addDays: function (days) { this._ms += Number(days) * DAY_MS; },
    _addWeeks: function (weeks) { this._addDays(Number(weeks) * 7); },
    _addMonths: function (months) {
        var date = new Date(this._ms);
        var day = date.getUTCDate();
        date.setUTCDate(1);
        date.setUTCMonth(date.getUTCMonth() + Number(months));
        date.setUTCDate(Math.min(day, daysInMonth(date)));
        this._ms = date.getTime();
    },
    _addYears: function (years) { this._addMonths(Number(years) * 12); },

    before: function (other) { return this._ms < moment(other); },
    after: function (other) { return this._ms > moment(other); },
    onOrBefore: function (other) { return this._ms <= moment(other); },
    onOrAfter: function (other) { return this._ms >= moment(other); },
    compareTo: function (other) {
        return this._ms < moment(other) ? -1 : Number(this._ms > moment(other));
    },
    equals: function (other) { return this._ms === moment(other); },
    hasDate: function () { return this.isValid(); },
    isDST: function () { return false; },
    getDSTOffset: function () { return 0; },
    getTZOffset: function () { return 0; },

    _getYear: function () { return new Date(this._ms).getUTCFullYear(); },
    _getMonth: function () { return new Date(this._ms).getUTCMonth() + 1; },
    _getDayOfMonth: function () { return new Date(this._ms).getUTCDate(); },
    /** Monday is 1. */
    _getDayOfWeek: function () { return new Date(this._ms).getUTCDay() || 7; },
    _getDaysInMonth: function () { return daysInMonth(new Date(this._ms)); }
};

['Years', 'Months', 'Weeks', 'Days'].forEach(function (unit) {
    spell('add', unit, ['', 'UTC', 'LocalTime']);
});
['Year', 'Month', 'DayOfMonth', 'DayOfWeek', 'DaysInMonth'].forEach(function (unit) {
    spell('get', unit, ['UTC', 'LocalTime']);
});

/** One method under each name that the platform gives it. */
function spell(verb, unit, endings) {
    endings.forEach(function (ending) {
        GlideDateTime.prototype[verb + unit + ending] = GlideDateTime.prototype['_' + verb + unit];
    });
}

function daysInMonth(date) {
    return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

function moment(other) {
    return other instanceof GlideDateTime ? other._ms : parse(other);
}

/** @param {*} [span] milliseconds, or text such as '1 02:03:04' or '1970-01-02 02:03:04' */
function GlideDuration(span) {
    this._ms = 0;
    if (span !== undefined && span !== null) {
        this.setValue(span);
    }
}

exports.GlideDuration = GlideDuration;

GlideDuration.prototype = {
    constructor: GlideDuration,
    toString: function () { return this.getValue(); },
    getValue: function () { return exports.text(this._ms); },
    getNumericValue: function () { return this._ms; },
    getDayPart: function () { return Math.floor(this._ms / DAY_MS); },
    getDurationValue: function () {
        var rest = Math.floor(this._ms % DAY_MS / 1000);
        var time = [Math.floor(rest / 3600), Math.floor(rest % 3600 / 60), rest % 60].map(padded).join(':');
        return (this.getDayPart() ? this.getDayPart() + ' ' : '') + time;
    },
    setValue: function (span) { this._ms = typeof span === 'number' ? span : exports.span(span); },
    setDisplayValue: function (text) { this._ms = exports.span(text); },
    add: function (other) { return new GlideDuration(this._ms + other.getNumericValue()); },
    subtract: function (other) { return new GlideDuration(this._ms - other.getNumericValue()); },
    compareTo: function (other) {
        return this._ms < other.getNumericValue() ? -1 : Number(this._ms > other.getNumericValue());
    },
    equals: function (other) { return this._ms === other.getNumericValue(); }
};

function clock(hours, minutes, seconds) {
    return (hours * 3600 + minutes * 60 + Number(seconds)) * 1000;
}

/**
 * The length of a duration column's value, which is stored as a moment in 1970, or of '[days ]HH:mm:ss'.
 *
 * @param {string} text
 * @returns {number} milliseconds
 */
exports.span = function (text) {
    var part = /^(?:(\d+) )?(\d{1,2}):(\d{2}):(\d{2})$/.exec(String(text).trim());
    var ms = part ? Number(part[1] || 0) * DAY_MS + clock(part[2], part[3], part[4]) : parse(text);
    if (isNaN(ms)) {
        throw new Error('"' + text + '" is not a duration');
    }
    return ms;
};
