/**
 * The XML of an exported update set, as plain objects. Knows the form only, not what the records mean. [ELIN export]
 */

var web = require('http/exchange');
var xml = require('http/xml');

var SYS_ID = /^[0-9a-f]{32}$/;

/**
 * @param {string} text
 * @returns {{set: Object, updates: Array<Object>}} the fields of the one `sys_remote_update_set`, and of each
 *     `sys_update_xml`
 */
exports.read = function (text) {
    var root = xml.parse(text, 'The update set');
    var found = {sys_remote_update_set: [], sys_update_xml: []};
    if (xml.name(root) !== 'unload') {
        throw refused('the document is <' + xml.name(root) + '>, not <unload>');
    }
    xml.children(root).forEach(function (element) {
        if (!found.hasOwnProperty(xml.name(element))) {
            throw refused('<' + xml.name(element) + '> does not belong into an exported update set');
        }
        found[xml.name(element)].push(xml.fields(element));
    });
    check(found.sys_remote_update_set, found.sys_update_xml);
    return {set: found.sys_remote_update_set[0], updates: found.sys_update_xml};
};

/**
 * @param {string} payload of one update
 * @returns {Array<{table: string, action: string, fields: Object}>} the records in it
 */
exports.records = function (payload) {
    var root = xml.parse(payload, 'The payload');
    if (xml.name(root) !== 'record_update') {
        throw refused('the payload is <' + xml.name(root) + '>; only <record_update> can be imported');
    }
    return xml.children(root).map(function (element) {
        return {
            table: xml.name(element), action: String(element.getAttribute('action')),
            fields: xml.fields(element)
        };
    });
};

/** @returns {boolean} whether it is what every sys_id is: 32 hex digits */
exports.isSysId = function (text) {
    return SYS_ID.test(text);
};

function check(sets, updates) {
    if (sets.length !== 1) {
        throw refused('there are ' + sets.length + ' sys_remote_update_set instead of one');
    }
    needSysId(sets[0].sys_id, 'sys_remote_update_set');
    var seen = {};
    updates.forEach(function (update) {
        needSysId(update.sys_id, 'sys_update_xml ' + update.name);
        if (update.remote_update_set !== sets[0].sys_id) {
            throw refused(update.name + ' belongs to the update set ' + update.remote_update_set);
        }
        ['sys_id', 'name'].forEach(function (key) { once(seen, key, update[key]); });
    });
}

function needSysId(value, where) {
    if (!exports.isSysId(value || '')) {
        throw refused(where + ' has the sys_id "' + (value || '') + '", which is not 32 hex digits');
    }
}

function once(seen, key, value) {
    if (!value) {
        throw refused('an update has no ' + key);
    }
    if (seen.hasOwnProperty(key + value)) {
        throw refused('two updates have the ' + key + ' ' + value);
    }
    seen[key + value] = true;
}

function refused(text) {
    return new web.Refusal(422, 'The update set cannot be loaded', text);
}
