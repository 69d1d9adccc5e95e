/**
 * System properties: rows of sys_properties, read through a cache as the platform does.
 */

var cache = require('./cache');

/**
 * @param {Object} platform
 * @returns {{get: function, set: function}}
 */
exports.create = function (platform) {
    var rows = cache.of(platform, 'sys_properties', byName);

    /**
     * @param {string} name
     * @param {*} [fallback] what to answer when there is no such property; an empty one is ''
     */
    function get(name, fallback) {
        var row = rows()['$' + name];
        if (!row) {
            return fallback === undefined ? null : fallback;
        }
        return row.value === null || row.value === undefined ? '' : row.value;
    }

    function set(name, value, description) {
        var row = rows()['$' + name];
        var text = value === null || value === undefined ? null : String(value);
        if (row) {
            platform.records.update('sys_properties', row.sys_id, {value: text});
        } else {
            platform.records.insert('sys_properties', {
                name: name, value: text, type: 'string', description: description || null
            });
        }
    }

    return {get: get, set: set};
};

/** The sign keeps a property called `constructor` apart from what every object has. */
function byName(rows) {
    var found = {};
    rows.forEach(function (row) { found['$' + row.name] = row; });
    return found;
}
