/**
 * Values as the interfaces show them: by themselves, with what a person would read, or with a link.
 */

var display = require('display');

/** Never leave the instance, in no form. [password-2way-encrypted-fields] */
var SECRET = ['password', 'password2'];

/** @param {Object} rows what may be seen of the records behind references */
exports.Fields = function (platform, rows) {
    this._platform = platform;
    this._rows = rows;
};

exports.Fields.prototype = {
    /**
     * @param {string} table
     * @param {Object} row
     * @param {string} path a column, or columns of referenced records behind dots
     * @returns {{value: string, display: function(): string, reference: string|null}|null} null when there is no
     *     such column; `display` is a function because it may have to look into other tables
     */
    of: function (table, row, path) {
        var names = path.split('.');
        var definition = this._column(table, names[0]);
        if (definition === null) {
            return null;
        }
        if (names.length === 1) {
            return this._value(table, definition, row[names[0]]);
        }
        return definition.reference ?
            this._behind(definition.reference, row[names[0]], names.slice(1)) : null;
    },

    _behind: function (table, sysId, names) {
        var row = this._platform.dictionary.table(table) && this._platform.records.get(table, sysId);
        var seen = row && this._rows.readable(table, row) ? this._rows.visible(table, row) : {};
        return this.of(table, seen, names.join('.'));
    },

    _column: function (table, name) {
        var definition = this._platform.dictionary.table(table);
        return definition !== null && definition.columns.hasOwnProperty(name) ?
            definition.columns[name] : null;
    },

    _value: function (table, definition, stored) {
        var secret = SECRET.indexOf(definition.type) >= 0;
        var self = this;
        var value = secret || stored === null || stored === undefined ? '' : stored;
        if (definition.type === 'boolean') {
            value = value === '1' ? 'true' : 'false';
        }
        return {
            value: value,
            display: function () { return secret ? '' : self._display(table, definition.name, stored); },
            reference: definition.type === 'reference' && value !== '' ? definition.reference : null
        };
    },

    _display: function (table, name, stored) {
        var definition = this._platform.dictionary.table(table);
        return display.of(this._platform, definition, name, stored === undefined ? null : stored);
    }
};
