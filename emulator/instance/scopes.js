/**
 * Which application scope a configuration record belongs to.
 */

var cache = require('./cache');

/** The tables in which an application is described; either of them may name its scope. */
var TABLES = ['sys_scope', 'sys_app'];

/**
 * @param {Object} platform
 * @returns {{nameOf: function(Object): string}}
 */
exports.create = function (platform) {
    var tables = TABLES.map(function (table) {
        return cache.of(platform, table, function (rows) {
            return rows.reduce(function (names, row) {
                names[row.sys_id] = row.scope;
                return names;
            }, {});
        });
    });

    /**
     * @param {Object} row of a table with the column sys_scope, which holds a sys_id or a scope's name
     * @returns {string} 'global' when it says nothing
     */
    function nameOf(row) {
        var scope = row.sys_scope;
        if (!scope || scope === 'global') {
            return 'global';
        }
        return tables.reduce(function (found, names) { return found || names()[scope]; }, null) || scope;
    }

    return {nameOf: nameOf};
};
