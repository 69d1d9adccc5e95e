/**
 * One table of the application. Values are written only where they differ, so that nobody who watches a row
 * is woken for nothing, and two threads that change different columns do not undo each other.
 */
var ClaudeTerminalTable = Class.create();

ClaudeTerminalTable.prototype = {
    /** @param {string} name without the application's prefix */
    initialize: function (name) {
        this.name = 'x_claude_terminal_' + name;
    },

    /** @returns {GlideRecord} not yet queried, for the rows whose columns equal `values` */
    query: function (values) {
        var record = new GlideRecord(this.name);
        Object.keys(values || {}).forEach(function (column) {
            record.addQuery(column, this._plain(values[column]));
        }, this);
        return record;
    },

    /** @returns {?GlideRecord} the first row whose columns equal `values` */
    find: function (values) {
        var record = this.query(values);
        record.setLimit(1);
        record.query();
        return record.next() ? record : null;
    },

    /** @returns {?string} the new row's sys_id; null when a unique index or a rule refused it */
    insert: function (values, sysId) {
        var record = new GlideRecord(this.name);
        record.initialize();
        if (sysId) {
            record.setNewGuidValue(sysId);
        }
        Object.keys(values).forEach(function (column) {
            record.setValue(column, values[column]);
        });
        return record.insert() || null;
    },

    /** @returns {boolean} whether anything was different, and so written */
    change: function (record, values) {
        var different = Object.keys(values).filter(function (column) {
            return (record.getValue(column) || '') !== this.text(values[column]);
        }, this);
        different.forEach(function (column) {
            record.setValue(column, this.text(values[column]));
        }, this);
        return different.length > 0 && record.update() !== null;
    },

    /** @returns {string} a value as the platform stores it */
    text: function (value) {
        if (value === null || value === undefined) {
            return '';
        }
        return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
    },

    /** The platform runs what such a text says when it stands in a query; some of ours come from answers. */
    _plain: function (value) {
        if (/^\s*javascript:/i.test(String(value))) {
            throw new Error('a value of a query must not be a script');
        }
        return value;
    },

    type: 'ClaudeTerminalTable'
};
