/** Input rows, the only thing the MID writes into the queue. */

var xml = require('xml');

/** What an answer takes over from its output. [KB0855595] */
var COPIED = ['agent', 'topic', 'name', 'source', 'agent_correlator', 'priority'];
var COUNTER_DIGITS = 7;
var counter = new java.util.concurrent.atomic.AtomicLong(0);

/** @returns {Object} the input that answers an output */
exports.answering = function (output, payload) {
    var row = blank(payload);
    COPIED.forEach(function (name) { row[name] = output[name] || ''; });
    row.response_to = output.sys_id;
    return row;
};

/** @returns {Object} the input that claims outputs, which the instance then marks as being processed */
exports.claiming = function (agent, outputs) {
    var document = xml.create('queue.processing');
    var root = document.getDocumentElement();
    root.setAttribute('output_message_count', String(outputs.length));
    outputs.forEach(function (output) { xml.append(root, 'sys_id', {state: 'processing'}, output.sys_id); });
    return own(agent, 'queue.processing', xml.serialize(document));
};

/** @returns {Object} an input of the MID's own, which answers nothing */
exports.reporting = own;

function own(agent, topic, payload) {
    var row = blank(payload);
    row.agent = agent;
    row.topic = topic;
    row.name = topic;
    row.source = agent.replace('mid.server.', '');
    row.priority = '2';
    return row;
}

function blank(payload) {
    return {queue: 'input', state: 'ready', sequence: sequence(), payload: payload};
}

/** Milliseconds in hexadecimal and a counter: sorts by time, and is unique within a run. */
function sequence() {
    var number = (counter.incrementAndGet() % Math.pow(10, COUNTER_DIGITS)).toFixed(0);
    return Date.now().toString(16) + ('0000000' + number).slice(-COUNTER_DIGITS);
}
