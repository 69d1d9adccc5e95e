/**
 * Rows as a user may see and change them: the access rules between an interface and the write path.
 *
 * Runs inside a transaction, whose user is the one who asks.
 */

exports.Rows = function (platform) {
    this._platform = platform;
};

exports.Rows.prototype = {
    /** @returns {boolean} whether web services may touch the table at all: its own switch, above all rules */
    open: function (table) {
        var found = this._platform.store.select('sys_db_object', {
            column: 'name', operator: '=', value: table
        }, {limit: 1})[0];
        return found !== undefined && found.ws_access !== '0';
    },

    /** @returns {boolean} whether the user may see the row at all */
    readable: function (table, row) {
        return this._allowed(table, 'read', row, null);
    },

    /** @returns {Object} the row without the columns the user may not see */
    visible: function (table, row) {
        return this.permitted(table, 'read', row, row);
    },

    /** @returns {boolean} */
    mayCreate: function (table, row) {
        return this._allowed(table, 'create', row, null);
    },

    /** @returns {boolean} */
    mayChange: function (table, row) {
        return this._allowed(table, 'write', row, null);
    },

    /** @returns {boolean} */
    mayDelete: function (table, row) {
        return this._allowed(table, 'delete', row, null);
    },

    /** @returns {Object} the changes without those of columns the user may not write; the platform drops them too */
    permitted: function (table, operation, row, changes) {
        var user = this._platform.context.current().user;
        var names = this._platform.acl.fields(user, table, operation, row, Object.keys(changes));
        return names.reduce(function (kept, name) {
            kept[name] = changes[name];
            return kept;
        }, {});
    },

    _allowed: function (table, operation, row, field) {
        var user = this._platform.context.current().user;
        return this._platform.acl.allowed(user, table, operation, row, field);
    }
};
