/**
 * One field's value: from whatever a script or client gives to the string that is stored, or null.
 */

var failure = require('./failure');
var own = require('./own');

var FORMATS = {
    'integer': {pattern: /^-?\d{1,15}$/, wanted: 'a whole number'},
    longint: {pattern: /^-?\d{1,19}$/, wanted: 'a whole number'},
    decimal: {pattern: /^-?\d+(\.\d+)?$/, wanted: 'a number'},
    'float': {pattern: /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/, wanted: 'a number'},
    glide_date_time: {pattern: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, wanted: 'yyyy-MM-dd HH:mm:ss in UTC'},
    glide_duration: {pattern: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, wanted: '1970-01-01 HH:mm:ss'},
    glide_date: {pattern: /^\d{4}-\d\d-\d\d$/, wanted: 'yyyy-MM-dd'}
};

var BOOLEANS = {'1': '1', 'true': '1', 'yes': '1', '0': '0', 'false': '0', 'no': '0'};

/**
 * The stored form of a value.
 *
 * @param {Object} definition the table, from the dictionary
 * @param {string} name column
 * @param {*} given string, number, boolean, GlideElement, GlideDateTime, null …
 * @returns {string|null} null for empty
 * @throws when the column does not exist or the value cannot be of its type (the platform would store
 *     nonsense)
 */
exports.stored = function (definition, name, given) {
    if (!own.has(definition.columns, name)) {
        throw failure.error('table ' + definition.name + ' has no column ' + name, {unknownColumn: name});
    }
    var type = definition.columns[name].type;
    if (given === null || given === undefined) {
        return null;
    }
    var text = exports.text(given);
    if (type === 'boolean') {
        return truth(definition, name, text);
    }
    if (text === '') {
        return null;
    }
    if (own.has(FORMATS, type)) {
        return formatted(definition, name, type, text);
    }
    return text;
};

/**
 * A value of a script as text.
 *
 * @throws for a GlideRecord, which on the platform would become something nobody meant
 */
exports.text = function (given) {
    if (typeof given === 'object' && given !== null && given.$ && given.$.values) {
        throw failure.error('a GlideRecord of ' + given.$.table + ' is no value; use its getUniqueValue()');
    }
    return given === null || given === undefined ? '' : String(given);
};

/** Is it a column whose text is cut at its length? Numbers and dates are not text. */
exports.isText = function (definition, name) {
    var type = definition.columns[name].type;
    return type !== 'boolean' && !own.has(FORMATS, type);
};

function truth(definition, name, text) {
    if (text === '') {
        return '0';
    }
    var known = BOOLEANS[text.toLowerCase()];
    if (!known) {
        throw failure.error(definition.name + '.' + name + ' is a boolean and cannot be "' +
            text.slice(0, 40) + '"');
    }
    return known;
}

function formatted(definition, name, type, text) {
    // A script's 5 may come as 5.0 when it was computed in Java.
    var value = type === 'integer' ? text.trim().replace(/\.0+$/, '') : text.trim();
    if (!FORMATS[type].pattern.test(value)) {
        throw failure.error(definition.name + '.' + name + ' is of type ' + type + ' (' +
            FORMATS[type].wanted + ') and cannot be "' + text.slice(0, 40) + '"');
    }
    return value;
}
