/**
 * What stands in the way of committing an update set. [t_PreviewARemoteUpdateSet]
 *
 * A set may bring tables, columns and referenced records itself, so each record is seen together with all others.
 */

var unload = require('http/unload');

/** An application is a scope, so a reference to a scope is satisfied by it. */
var KINDS = {sys_scope: ['sys_scope', 'sys_app']};
var FIXED = ['sys_created_by', 'sys_created_on', 'sys_mod_count', 'sys_updated_by', 'sys_updated_on',
    'sys_id'];

/**
 * @param {Object} platform
 * @param {Array<{name: string, records: Array}>} updates each with the records of its payload
 * @returns {Array<string>} problems in words; none means that it can be committed
 */
exports.problems = function (platform, updates) {
    var view = new View(platform, updates);
    var found = [];
    updates.forEach(function (update) {
        if (update.problem) {
            found.push(update.name + ': ' + update.problem);
        }
        update.records.forEach(function (record) {
            view.check(record).forEach(function (problem) { found.push(update.name + ': ' + problem); });
        });
    });
    return found;
};

function View(platform, updates) {
    this._platform = platform;
    this._columns = {};
    this._records = {};
    updates.forEach(function (update) { update.records.forEach(this._note, this); }, this);
}

View.prototype = {
    check: function (record) {
        var sysId = record.fields.sys_id || '';
        if (!this._hasTable(record.table)) {
            return ['there is no table ' + record.table];
        }
        if (!unload.isSysId(sysId)) {
            return ['the record has the sys_id "' + sysId + '", which is not 32 hex digits'];
        }
        return Object.keys(record.fields).map(function (column) {
            return this._checkField(record, column);
        }, this).filter(function (problem) { return problem !== null; });
    },

    _note: function (record) {
        var fields = record.fields;
        this._records[record.table + ' ' + fields.sys_id] = true;
        if (record.table === 'sys_db_object') {
            this._columns[fields.name] = this._columns[fields.name] || {};
        } else if (record.table === 'sys_dictionary') {
            this._columns[fields.name] = this._columns[fields.name] || {};
            this._columns[fields.name][fields.element] = {
                type: fields.internal_type, reference: fields.reference
            };
        }
    },

    _hasTable: function (table) {
        return this._columns.hasOwnProperty(table) || this._platform.dictionary.table(table) !== null;
    },

    _column: function (table, column) {
        var known = this._platform.dictionary.table(table);
        var coming = this._columns[table] || {};
        return known !== null && known.columns[column] || coming[column] || null;
    },

    _checkField: function (record, column) {
        var value = record.fields[column];
        var definition = this._column(record.table, column);
        if (FIXED.indexOf(column) >= 0) {
            return null;
        }
        if (definition === null) {
            return 'table ' + record.table + ' has no column ' + column;
        }
        if (definition.type === 'reference' && value && !this._exists(definition.reference, value)) {
            return 'could not find a record in ' + definition.reference + ' for column ' + column +
                ' referenced in this update (' + value + ')';
        }
        return null;
    },

    _exists: function (table, sysId) {
        return (KINDS[table] || [table]).some(function (each) {
            return this._records[each + ' ' + sysId] === true || this._stored(each, sysId);
        }, this);
    },

    _stored: function (table, sysId) {
        return this._platform.dictionary.table(table) !== null &&
            this._platform.records.get(table, sysId) !== null;
    }
};
