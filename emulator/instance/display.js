/**
 * What people see of a value: the name behind a reference, the label of a choice, true and false.
 */

var own = require('./own');
var query = require('./query');

/** Columns that name a row, when the dictionary marks none. */
var NAMING = ['name', 'number', 'title', 'short_description', 'user_name', 'label', 'element'];

var MASK = '********';

/**
 * The display value of one field.
 *
 * @param {Object} platform
 * @param {Object} definition the table, from the dictionary
 * @param {string} name column
 * @param {string|null} value as stored
 * @returns {string}
 */
exports.of = function (platform, definition, name, value) {
    var column = definition.columns[name];
    if (column.type === 'boolean') {
        return String(value === '1');
    }
    if (value === null || value === undefined) {
        return '';
    }
    if (column.type === 'password2' || column.type === 'password') {
        return MASK;
    }
    return column.reference ? exports.reference(platform, column.reference, value) :
        choice(platform, definition.name, name, value);
};

/** The display value of a referenced row; a reference that leads nowhere shows nothing. */
exports.reference = function (platform, table, sysId) {
    var definition = platform.dictionary.table(table);
    var row = definition && platform.records.get(table, sysId);
    return row ? exports.row(definition, row) : '';
};

/** The display value of a whole row. */
exports.row = function (definition, row) {
    var name = exports.column(definition);
    return (name && row[name]) || row.sys_created_on || '';
};

/** The column that names the rows of a table, or null. */
exports.column = function (definition) {
    var columns = definition.columns;
    var marked = Object.keys(columns).filter(function (name) { return columns[name].display; });
    return marked[0] || NAMING.filter(function (name) { return own.has(columns, name); })[0] || null;
};

/** The stored value of a display value: a referenced row found by its name, else the text itself. */
exports.parsed = function (platform, column, shown) {
    var definition = column.reference && platform.dictionary.table(column.reference);
    var name = definition && exports.column(definition);
    if (!name || shown === null || shown === undefined || String(shown) === '') {
        return shown;
    }
    var wanted = {};
    wanted[name] = String(shown);
    var row = platform.store.select(column.reference, query.equal(wanted), {limit: 1})[0];
    return row ? row.sys_id : null;
};

function choice(platform, table, column, value) {
    if (!platform.dictionary.table('sys_choice')) {
        return value;
    }
    var row = platform.store.select('sys_choice', query.equal({name: table, element: column, value: value}),
        {limit: 1})[0];
    return row ? row.label : value;
}
