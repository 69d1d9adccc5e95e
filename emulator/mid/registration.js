/** The MID's own rows on the instance: `ecc_agent`, its copied parameters, and its MID properties. */

/** What the release calls itself: nobody shall take it for one of ServiceNow's. */
var VERSION = 'emulated-1';

/**
 * Register under the configured name, making the row when there is none.
 *
 * @param {Object} soap of soap.js
 * @param {Object} config of configuration.js
 * @returns {{sysId: string, validated: function(): boolean, down: function(), property: function(string):
 *     ?string}}
 */
exports.register = function (soap, config) {
    var sysId = agent(soap, config);
    var properties = new java.util.concurrent.ConcurrentHashMap();

    copyParameters(soap, config, sysId);
    loadProperties(soap, sysId, properties);
    return {
        sysId: sysId,
        /** A MID that the instance does not trust takes no work. [KB0855595] */
        validated: function () {
            var row = soap.getRecords('ecc_agent', {sys_id: sysId})[0];
            return Boolean(row) && (row.validated === 'true' || row.validated === '1');
        },
        down: function () { soap.update('ecc_agent', {sys_id: sysId, status: 'Down', stopped: now()}); },
        /** @returns {?string} the MID property of that name, this MID's before the global one */
        property: function (name) {
            var value = properties.get(name);
            return value === null ? null : String(value);
        }
    };
};

function agent(soap, config) {
    var found = soap.getRecords('ecc_agent', {name: config.get('name'), __limit: '1'})[0];
    var row = description(config);
    var sysId;
    if (found) {
        row.sys_id = found.sys_id;
        soap.update('ecc_agent', row);
        sysId = found.sys_id;
    } else {
        sysId = soap.insert('ecc_agent', row);
    }
    if (!sysId) {
        throw new Error('the instance did not accept the row of ecc_agent');
    }
    if (config.get('mid_sys_id') !== sysId) {
        config.save('mid_sys_id', sysId);
    }
    return sysId;
}

function description(config) {
    return {
        name: config.get('name'),
        status: 'Up',
        validated: 'true',
        version: VERSION,
        user_name: config.get('mid.instance.username'),
        host_name: String(java.net.InetAddress.getLoopbackAddress().getHostName()),
        started: now()
    };
}

/** Secure values are masked; whether the platform does that is not known, so nothing may stand on it. */
function copyParameters(soap, config, sysId) {
    var known = {};
    soap.getRecords('ecc_agent_config', {ecc_agent: sysId, __limit: '1000'}).forEach(function (row) {
        known[row.param_name] = row;
    });
    config.masked().forEach(function (parameter) {
        var row = known[parameter.name];
        if (!row) {
            soap.insert('ecc_agent_config', {
                ecc_agent: sysId, param_name: parameter.name, value: parameter.value
            });
        } else if (row.value !== parameter.value) {
            soap.update('ecc_agent_config', {sys_id: row.sys_id, value: parameter.value});
        }
    });
}

/** A property of this MID wins over a global one of the same name. [mid-config-param-priority] */
function loadProperties(soap, sysId, properties) {
    soap.getRecords('ecc_agent_property', {__limit: '1000'}).forEach(function (row) {
        if (row.ecc_agent === sysId || (!row.ecc_agent && !properties.containsKey(row.name))) {
            properties.put(row.name, row.value || '');
        }
    });
}

function now() {
    var format = java.time.format.DateTimeFormatter.ofPattern('yyyy-MM-dd HH:mm:ss');
    return String(java.time.LocalDateTime.now(java.time.ZoneOffset.UTC).format(format));
}
