/** From an output row to the payload of its answer. Whatever goes wrong is an answer too. */

var answer = require('answer');
var globals = require('globals');
var source = require('source');
var xml = require('xml');

var rhino = Packages.org.mozilla.javascript;

/**
 * Make the runner of probes.
 *
 * @param {Object} mid what globals.js needs, and `firewall`, `commands` (the MID's own commands by name)
 * @returns {function(Object): string} runs an output row, returns the answer's payload
 */
exports.runner = function (mid) {
    var topics = {
        JavascriptProbe: function (values) { return script(mid, values); },
        HeartbeatProbe: function () { return 'mid_operational_state=Up'; },
        SystemCommand: function (values) { return command(mid, values('name')); }
    };

    return function (row) {
        var started = java.lang.System.nanoTime();
        var message = {row: row, parameters: []};
        try {
            message.parameters = parameters(row);
            return answer.output(message, run(topics, mid.firewall, message), since(started));
        } catch (error) {
            mid.log.warn(row.topic + ' ' + row.sys_id + ' failed');
            return answer.error(message, reason(error), since(started));
        }
    };
};

function run(topics, firewall, message) {
    var topic = message.row.topic;
    var refusal = firewall.refusal(topic);
    if (refusal !== null) {
        throw new Error(refusal);
    }
    if (!Object.prototype.hasOwnProperty.call(topics, topic)) {
        throw new Error('the emulated MID Server has no probe for the topic ' + topic);
    }
    return topics[topic](lookup(answer.values(message)));
}

function lookup(values) {
    return function (name) {
        // The payload's own come last and win over the columns.
        var found = values.filter(function (each) { return each.name === name; });
        return found.length === 0 ? null : found[found.length - 1].value;
    };
}

/** An output without a payload has no parameters, as a heartbeat's. */
function parameters(row) {
    return row.payload ? xml.parameters(xml.parse(row.payload)) : [];
}

/**
 * Run the parameter `script`; the value of its last expression is the result. [BOOK,
 * c_JavascriptProbeAPI]
 */
function script(mid, values) {
    var text = values('script');
    var value;
    if (!text) {
        throw new Error('the probe has no parameter named script');
    }
    value = source.compile(text, 'script')
        .exec(rhino.Context.getCurrentContext(), globals.scope(mid, values));
    if (value === undefined || value === null) {
        throw new Error('the script has no completion value: its last statement must be an expression');
    }
    return String(rhino.Context.toString(value));
}

function command(mid, name) {
    if (!Object.prototype.hasOwnProperty.call(mid.commands, name)) {
        throw new Error('the emulated MID Server has no system command named ' + name);
    }
    return mid.commands[name]();
}

/** Rhino's own words and the place; a thrown value that is no error is told as text. */
function reason(error) {
    var isError = error !== null && typeof error === 'object' && 'message' in error;
    var text = String(isError ? error.message : error) || 'the probe failed';
    var placed = isError && error.lineNumber > 0;
    return placed ? text + ' (' + error.fileName + '#' + error.lineNumber + ')' : text;
}

function since(nanoseconds) {
    return Math.round((java.lang.System.nanoTime() - nanoseconds) / 1e6);
}
