/**
 * What a scoped application may do with tables of another scope. [ELIN's export; the words of a refusal are
 * inferred]
 *
 * A table says for itself whether other scopes may read, create, change or delete its rows; beyond that an
 * application needs a sys_scope_privilege row. Scripts of the global scope are not held back here.
 */

var query = require('./query');

/** Operation → the column of sys_db_object that opens a table to every scope. */
var OPEN = {read: 'read_access', create: 'create_access', write: 'update_access', 'delete': 'delete_access'};

/**
 * @param {Object} platform
 * @param {Object} definition the table, from the dictionary
 * @param {string} operation 'read', 'create', 'write' or 'delete'
 * @param {string} scope of the script that asks
 * @returns {string|null} why it may not, or null
 */
exports.refusal = function (platform, definition, operation, scope) {
    if (scope === 'global' || definition.access[OPEN[operation]] ||
            scope === exports.owner(platform, definition) ||
            granted(platform, scope, definition.name, operation)) {
        return null;
    }
    return operation + ' operation on table ' + definition.name + ' from scope ' + scope +
        ' has been refused due to the table\'s cross-scope access policy';
};

/** The scope a table belongs to. */
exports.owner = function (platform, definition) {
    return platform.scopes.nameOf({sys_scope: definition.scope});
};

function granted(platform, scope, table, operation) {
    return platform.store.select('sys_scope_privilege', query.equal({target_name: table, operation: operation,
        status: 'allowed'})).some(function (row) {
        return platform.scopes.nameOf({sys_scope: row.source_scope}) === scope;
    });
}
