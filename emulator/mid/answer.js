/**
 * The payload of an input: the result, and an echo of the whole output it answers. [TOPO, KB0782247]
 *
 * Everything is echoed, parameters included, which is why no secret may ever travel in one.
 */

var xml = require('xml');

/** The columns of an output that come back, in the order of captured answers. */
var ECHOED = [
    'agent', 'topic', 'name', 'source', 'queue', 'state', 'priority', 'agent_correlator', 'response_to',
    'sequence', 'sys_created_on', 'sys_id', 'ecc_queue', 'from_sys_id', 'from_host', 'sys_domain',
    'processed', 'error_string', 'signature'
];
var FAILED = '900000';

/**
 * Say what a probe returned.
 *
 * @param {{row: Object, parameters: Array<{name: string, value: string}>}} message the output and its
 *     parameters
 * @param {string} text the result
 * @param {number} milliseconds how long it took
 * @returns {string} the payload
 */
exports.output = function (message, text, milliseconds) {
    var document = xml.create('results');
    var root = document.getDocumentElement();
    root.setAttribute('probe_time', String(milliseconds));
    root.setAttribute('result_code', '0');
    xml.append(xml.append(root, 'result'), 'output', {}, text);
    echo(root, message);
    return xml.serialize(document);
};

/** Say that a probe failed, in the places where sensors look first; else as `output`. */
exports.error = function (message, text, milliseconds) {
    var document = xml.create('results');
    var root = document.getDocumentElement();
    root.setAttribute('error', text);
    root.setAttribute('post_processing_time', '0');
    root.setAttribute('probe_time', String(milliseconds));
    root.setAttribute('result_code', FAILED);
    xml.append(root, 'result', {error: text});
    echo(root, message);
    return xml.serialize(document);
};

/** Every column and parameter of an output, under the names that probes and echoes use for them. */
exports.values = function (message) {
    var row = message.row;
    var list = ECHOED.map(function (name) {
        return {name: name, value: (name === 'ecc_queue' ? row.sys_id : row[name]) || ''};
    }).concat(message.parameters);
    var skips = message.parameters.some(function (each) { return each.name === 'skip_sensor'; });
    return skips ? list : list.concat({name: 'skip_sensor', value: 'false'});
};

function echo(root, message) {
    var parameters = xml.append(root, 'parameters');
    exports.values(message).forEach(function (each) { xml.append(parameters, 'parameter', each); });
}
